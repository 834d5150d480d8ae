{{/* The pod and its one container. */}}

{{- define "kubeseal-rs.pod" -}}
serviceAccountName: {{ include "kubeseal-rs.serviceAccountName" . }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- if .Values.podSecurityContext.enabled }}
securityContext: {{- include "kubeseal-rs.securityContext" (dict "value" .Values.podSecurityContext "root" $) | nindent 2 }}
{{- end }}
{{- range $field := list "affinity" "nodeSelector" "tolerations" "topologySpreadConstraints" }}
{{- with index $.Values $field }}
{{ $field }}: {{- include "kubeseal-rs.render" (dict "value" . "root" $) | nindent 2 }}
{{- end }}
{{- end }}
{{- range $field := list "priorityClassName" "runtimeClassName" "dnsPolicy" }}
{{- with index $.Values $field }}
{{ $field }}: {{ . }}
{{- end }}
{{- end }}
{{- if kindIs "bool" .Values.hostUsers }}
hostUsers: {{ .Values.hostUsers }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
containers:
  - {{ include "kubeseal-rs.container" . | indent 4 | trim }}
{{- with .Values.additionalVolumes }}
volumes: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "kubeseal-rs.container" -}}
name: controller
image: {{ include "kubeseal-rs.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: {{- include "kubeseal-rs.render" (dict "value" (default (list "controller") .Values.command) "root" .) | nindent 2 }}
args:
{{- if .Values.args }}
  {{- include "kubeseal-rs.render" (dict "value" .Values.args "root" .) | nindent 2 }}
{{- else }}
  {{- include "kubeseal-rs.args" . | trim | nindent 2 }}
{{- end }}
env:
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- with .Values.extraEnv }}
  {{- include "kubeseal-rs.render" (dict "value" . "root" $) | nindent 2 }}
  {{- end }}
ports:
  {{- range $name := list "http" "metrics" }}
  - name: {{ $name }}
    containerPort: {{ index $.Values.containerPorts $name }}
    protocol: TCP
    {{- with $.Values.hostNetwork | ternary (index $.Values.containerPorts $name) (index $.Values.hostPorts $name) }}
    hostPort: {{ . }}
    {{- end }}
  {{- end }}
{{- range $name, $action := dict
  "startupProbe" (dict "tcpSocket" (dict "port" "http"))
  "livenessProbe" (dict "httpGet" (dict "path" "/healthz" "port" "http"))
  "readinessProbe" (dict "httpGet" (dict "path" "/readyz" "port" "http"))
}}
{{- $custom := index $.Values (printf "custom%s" (title $name)) }}
{{- $probe := index $.Values $name }}
{{- if $custom }}
{{ $name }}: {{- include "kubeseal-rs.render" (dict "value" $custom "root" $) | nindent 2 }}
{{- else if $probe.enabled }}
{{ $name }}: {{- merge $action (omit $probe "enabled") | toYaml | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.containerSecurityContext.enabled }}
securityContext: {{- include "kubeseal-rs.securityContext" (dict "value" .Values.containerSecurityContext "root" $) | nindent 2 }}
{{- end }}
{{- with .Values.additionalVolumeMounts }}
volumeMounts: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
