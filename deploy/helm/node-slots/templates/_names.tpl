{{/* What several templates say. */}}

{{- define "nodeSlots.selector" -}}
app.kubernetes.io/name: node-slots
app.kubernetes.io/instance: {{ .Values.name }}
{{- end }}

{{/* The last two are Helm's own and of no selector. */}}
{{- define "nodeSlots.labels" -}}
{{ include "nodeSlots.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "nodeSlots.coordinator" -}}
{{ .Values.name }}-coordinator
{{- end }}

{{- define "nodeSlots.image" -}}
{{- with .Values.image -}}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* "yes" where the certificate comes from a Secret that somebody else fills. */}}
{{- define "nodeSlots.mounted" -}}
{{- if ne .Values.tls.mode "self-made" }}yes{{ end -}}
{{- end }}

{{/* The Secret that holds it then. */}}
{{- define "nodeSlots.certificate" -}}
{{ .Values.tls.secretName | default (printf "%s-certificate" .Values.name) }}
{{- end }}

{{/* Namespaces of clients that are no pool's, each once: {"names": [...]} */}}
{{- define "nodeSlots.clientNamespaces" -}}
{{- $pools := list .Release.Namespace -}}
{{- range .Values.pools }}{{ $pools = append $pools .namespace }}{{ end -}}
{{- $names := list -}}
{{- range .Values.clients }}
{{- if not (has .namespace $pools) }}{{ $names = append $names .namespace }}{{ end }}
{{- end -}}
{{ dict "names" ($names | uniq) | toJson }}
{{- end }}

{{/* [POOL/]NAMESPACE[:MAX_PRIORITY] */}}
{{- define "nodeSlots.client" -}}
{{- if .pool }}{{ .pool }}/{{ end }}{{ .namespace }}
{{- if not (kindIs "invalid" .maxPriority) }}:{{ int64 .maxPriority }}{{ end }}
{{- end }}

{{- define "nodeSlots.subjects" -}}
- kind: ServiceAccount
  name: {{ include "nodeSlots.coordinator" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
