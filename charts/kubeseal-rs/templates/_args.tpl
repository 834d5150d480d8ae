{{/* The controller's arguments. A value that is false is passed as false: leaving the flag out would mean its default. */}}

{{- define "kubeseal-rs.args" -}}
{{- $values := .Values -}}
{{- range $flag, $value := dict
  "accept-deprecated-v1-data" $values.acceptDeprecatedV1Data
  "all-namespaces" $values.allNamespaces
  "leader-elect" $values.leaderElection.enabled
  "log-info-stdout" $values.logInfoStdout
  "metrics-omit-secret-labels" $values.metricsOmitSecretLabels
  "old-gc-behavior" $values.oldGCBehavior
  "skip-recreate" $values.skipRecreate
  "strict-templates" $values.strictTemplates
  "update-status" $values.updateStatus
  "watch-for-secrets" $values.watchForSecrets
}}
- --{{ $flag }}={{ $value }}
{{- end -}}
{{- range $flag, $value := dict
  "additional-namespaces" (join "," $values.additionalNamespaces)
  "key-cutoff-time" $values.keycutofftime
  "key-order-priority" $values.keyOrderPriority
  "key-prefix" $values.secretName
  "key-renew-period" $values.keyrenewperiod
  "key-size" $values.keySize
  "key-ttl" $values.keyttl
  "kubeclient-burst" $values.kubeClientBurst
  "kubeclient-qps" $values.kubeClientQPS
  "label-selector" $values.labelSelector
  "leader-elect-lease-duration" $values.leaderElection.leaseDuration
  "leader-elect-renew-deadline" $values.leaderElection.renewDeadline
  "leader-elect-retry-period" $values.leaderElection.retryPeriod
  "log-format" $values.logFormat
  "log-level" $values.logLevel
  "max-unseal-retries" $values.maxRetries
  "my-cn" $values.myCN
  "namespace-selector" $values.namespaceSelector
  "privatekey-annotations" (include "kubeseal-rs.pairs" $values.privateKeyAnnotations)
  "privatekey-labels" (include "kubeseal-rs.pairs" $values.privateKeyLabels)
  "rate-limit" $values.rateLimit
  "rate-limit-burst" $values.rateLimitBurst
  "resync-period" $values.resyncPeriod
}}
{{- $text := include "kubeseal-rs.text" $value -}}
{{- if $text }}
- {{ printf "--%s=%s" $flag $text | quote }}
{{- end -}}
{{- end }}
- --listen-addr=:{{ include "kubeseal-rs.text" $values.containerPorts.http }}
- --listen-metrics-addr=:{{ include "kubeseal-rs.text" $values.containerPorts.metrics }}
{{- with $values.extraArgs }}
{{ include "kubeseal-rs.render" (dict "value" . "root" $) }}
{{- end -}}
{{- end -}}

{{/* A value as text; whole numbers without exponent, whatever type Helm read them as. */}}
{{- define "kubeseal-rs.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else if not (kindIs "invalid" .) -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* A map as `key=value,key=value`. */}}
{{- define "kubeseal-rs.pairs" -}}
{{- $pairs := list -}}
{{- range $key, $value := . -}}
{{- if not (and $value (kindIs "string" $value)) -}}
{{- fail (printf "privateKeyAnnotations and privateKeyLabels: the value of %q must be text, in quotes" $key) -}}
{{- end -}}
{{- if or (contains "," $value) (contains "=" $value) -}}
{{- fail (printf "privateKeyAnnotations and privateKeyLabels: the value of %q may not contain , or =" $key) -}}
{{- end -}}
{{- $pairs = append $pairs (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end -}}
