{{/* Names, labels and images: each is made in one place. A `root` in a dictionary is the whole context of the chart. */}}

{{- define "infirmary.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $both .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of one part: {root, part}. */}}
{{- define "infirmary.name" -}}
{{- printf "%s-%s" (include "infirmary.fullname" .root) .part | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What a selector selects by; never changed: {root, part}. */}}
{{- define "infirmary.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{/* All labels of an object: {root, part}. */}}
{{- define "infirmary.labels" -}}
{{ include "infirmary.selector" . }}
app.kubernetes.io/part-of: infirmary
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name, namespace, labels and annotations of an object: {root, part, name?, annotations?}. */}}
{{- define "infirmary.meta" -}}
name: {{ default (include "infirmary.name" .) .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "infirmary.labels" . | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* One image of others: {root, image}. A registry of one's own takes the place of that in the name. */}}
{{- define "infirmary.image" -}}
{{- $name := .image.repository -}}
{{- with .root.Values.image.registry -}}
{{- $name = printf "%s/%s" . (regexReplaceAll "^[^/]*[.:][^/]*/" $name "") -}}
{{- end -}}
{{- if .image.digest }}{{ $name }}@{{ .image.digest }}{{ else }}{{ $name }}:{{ .image.tag }}{{ end -}}
{{- end -}}

{{/* The image of one of our own: {root, part}. */}}
{{- define "infirmary.ownImage" -}}
{{- $values := .root.Values.image -}}
{{- $tag := default .root.Chart.AppVersion $values.tag -}}
{{- with get $values.references .part }}{{ . }}{{ else -}}
{{- include "infirmary.image" (dict "root" .root "image" (dict
  "repository" (printf "%s/%s" $values.repository .part) "tag" $tag "digest" (get $values.digests .part))) -}}
{{- end -}}
{{- end -}}

{{/* Where another service answers: {root, part}. */}}
{{- define "infirmary.url" -}}
http://{{ include "infirmary.name" . }}:8080
{{- end -}}

{{/* Where people find the house: what they type, or what the notes say where there is no route. */}}
{{- define "infirmary.publicUrl" -}}
{{- if eq .Values.route.kind "none" -}}
{{ ternary "https" "http" (ne .Values.gateway.tlsSecret "") }}://127.0.0.1:8080
{{- else -}}
https://{{ .Values.route.host }}
{{- end -}}
{{- end -}}

{{/* Whether it is no service but stands beside them: {root, service}; "" when it is one. */}}
{{- define "infirmary.isBeside" -}}
{{- if (get (include "infirmary.graph" .root | fromYaml).services .service).beside }}yes{{ end -}}
{{- end -}}

{{/* What one service was given, with what holds for all: {root, service}; read it with fromYaml. */}}
{{- define "infirmary.conf" -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (default (dict) (get .root.Values.services .service))) | toYaml -}}
{{- end -}}

{{/* Where traces go, or nothing. */}}
{{- define "infirmary.otlp" -}}
{{- if .Values.monitoring.enabled -}}
http://{{ include "infirmary.name" (dict "root" . "part" "collector") }}:{{ (include "infirmary.graph" . | fromYaml).watchers.collector.otlp }}
{{- else }}{{ .Values.telemetry.otlpEndpoint }}{{ end -}}
{{- end -}}

{{- define "infirmary.graph" -}}
{{ .Files.Get "service-graph.yaml" }}
{{- end -}}

{{/* Whether an API version is there: {root, version}; "" when not. */}}
{{- define "infirmary.has" -}}
{{- if or (.root.Capabilities.APIVersions.Has .version) (has .version .root.Values.capabilities.apiVersions) }}yes{{ end -}}
{{- end -}}

{{/* Whether the cluster can wait before a container ends by itself; "" when it must run a program for that. */}}
{{- define "infirmary.canSleep" -}}
{{- $version := default .Capabilities.KubeVersion.Version .Values.capabilities.kubeVersion -}}
{{- if semverCompare ">=1.30.0-0" $version }}yes{{ end -}}
{{- end -}}
