{{- define "restgate.name" -}}
{{- if contains "restgate" .Release.Name -}}
{{- .Release.Name | trunc 57 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-restgate" .Release.Name | trunc 57 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "restgate.selector" -}}
app.kubernetes.io/name: restgate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "restgate.labels" -}}
{{ include "restgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "restgate.adminPort" -}}
{{- default 9000 .Values.config.admin_port | int -}}
{{- end -}}
