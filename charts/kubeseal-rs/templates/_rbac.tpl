{{/* Who may do what: the least that the chosen values need. */}}

{{/*
Where the controller works: `cluster`; `namespaces` (roles in its own and the additional ones); `own` (its own only).
*/}}
{{- define "kubeseal-rs.reach" -}}
{{- if .Values.rbac.namespacedRoles -}}
{{- if .Values.namespaceSelector -}}
{{- fail "rbac.namespacedRoles: a namespaceSelector may choose any namespace, and so needs rbac.clusterRole" -}}
{{- end -}}
namespaces
{{- else if or .Values.allNamespaces .Values.additionalNamespaces .Values.namespaceSelector -}}
cluster
{{- else -}}
own
{{- end -}}
{{- end -}}

{{/* What unsealing needs in a namespace. */}}
{{- define "kubeseal-rs.unsealRules" -}}
- apiGroups: [bitnami.com]
  resources: [sealedsecrets]
  verbs: [get, list, watch]
{{- if .Values.updateStatus }}
- apiGroups: [bitnami.com]
  resources: [sealedsecrets/status]
  verbs: [update]
{{- end }}
- apiGroups: [""]
  resources: [secrets]
  verbs:
    - get
    - create
    - update
    {{- if not .Values.skipRecreate }}
    - list
    - watch
    {{- end }}
    {{- if .Values.oldGCBehavior }}
    - delete
    {{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* What finding namespaces cluster-wide needs; empty if the controller does not look at them. */}}
{{- define "kubeseal-rs.namespaceRules" -}}
{{- if .Values.namespaceSelector -}}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
{{- else if .Values.additionalNamespaces -}}
{{- include "kubeseal-rs.namespaceRule" .Values.additionalNamespaces -}}
{{- end -}}
{{- end -}}

{{/* Takes the names of namespaces, which the controller may look at. */}}
{{- define "kubeseal-rs.namespaceRule" -}}
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: {{- toYaml . | nindent 4 }}
  verbs: [get]
{{- end -}}

{{/* A binding of the controller's account. Takes root, kind (Role or ClusterRole), role and name; optional: namespace. */}}
{{- define "kubeseal-rs.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .namespace | empty | ternary "ClusterRoleBinding" "RoleBinding" }}
{{ include "kubeseal-rs.metadata" (dict "root" .root "name" .name "namespace" .namespace "labels" (list .root.Values.rbac.labels)) }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .role }}
subjects:
  - kind: ServiceAccount
    name: {{ include "kubeseal-rs.serviceAccountName" .root }}
    namespace: {{ include "kubeseal-rs.namespace" .root }}
{{- end -}}
