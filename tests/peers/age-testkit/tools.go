// Package tools names the module whose vectors the tests read.
package tools

import _ "c2sp.org/CCTV/age"
