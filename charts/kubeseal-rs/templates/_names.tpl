{{/* Names and labels. The defaults are those of the sealed-secrets chart, so that either chart can upgrade a release of the other. */}}

{{- define "kubeseal-rs.name" -}}
{{- default "sealed-secrets" .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "kubeseal-rs.fullname" -}}
{{- $name := include "kubeseal-rs.name" . -}}
{{- $default := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $default .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "kubeseal-rs.namespace" -}}
{{- default .Release.Namespace .Values.namespace -}}
{{- end -}}

{{- define "kubeseal-rs.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "kubeseal-rs.fullname" .) "default") .Values.serviceAccount.name -}}
{{- end -}}

{{- define "kubeseal-rs.image" -}}
{{- $image := .Values.image -}}
{{- $repository := list $image.registry $image.repository | compact | join "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion $image.tag | toString) -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods: it cannot change in an upgrade. */}}
{{- define "kubeseal-rs.selector" -}}
app.kubernetes.io/name: {{ include "kubeseal-rs.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kubeseal-rs.labels" -}}
{{ include "kubeseal-rs.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: sealed-secrets
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* A value, map or text, in which templates are rendered. */}}
{{- define "kubeseal-rs.render" -}}
{{- $text := kindIs "string" .value | ternary .value (toYaml .value) -}}
{{- tpl $text .root -}}
{{- end -}}

{{/*
The metadata of one object. Takes root and name; optional: namespace, labels and annotations, each a list of maps, of
which an earlier one wins over a later one and over the common ones.
*/}}
{{- define "kubeseal-rs.metadata" -}}
{{- $root := .root -}}
{{- $labels := dict -}}
{{- range append (default list .labels) $root.Values.commonLabels -}}
{{- with . }}{{ $labels = merge $labels (include "kubeseal-rs.render" (dict "value" . "root" $root) | fromYaml) }}{{ end -}}
{{- end -}}
{{- $labels = merge $labels (include "kubeseal-rs.labels" $root | fromYaml) -}}
{{- $annotations := dict -}}
{{- range append (default list .annotations) $root.Values.commonAnnotations -}}
{{- with . }}{{ $annotations = merge $annotations (include "kubeseal-rs.render" (dict "value" . "root" $root) | fromYaml) }}{{ end -}}
{{- end -}}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- toYaml $labels | nindent 4 }}
  {{- with $annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
