{{/* Security contexts: on OpenShift users and groups are left to the cluster, which gives each namespace its own. */}}

{{- define "kubeseal-rs.openshift" -}}
{{- $wanted := toString .Values.openshift.enabled -}}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}
true
{{- end -}}
{{- end -}}

{{/* A context without what is null, and on OpenShift without users and groups. */}}
{{- define "kubeseal-rs.securityContext" -}}
{{- $context := omit .value "enabled" -}}
{{- if include "kubeseal-rs.openshift" .root -}}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" "supplementalGroups" -}}
{{- end -}}
{{- range $key, $value := $context -}}
{{- if kindIs "invalid" $value }}{{ $context = omit $context $key }}{{ end -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}
