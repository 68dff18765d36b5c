{{/* One process of one service: {root, service, part, verb, process, conf}. */}}
{{- define "infirmary.workload" -}}
{{- $web := eq .verb "serve" }}
{{- $code := .root.Values.developer.sync }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "infirmary.meta" . | nindent 2 }}
spec:
  {{- include "infirmary.rolling" . | nindent 2 }}
  selector:
    matchLabels:
      {{- include "infirmary.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "infirmary.labels" . | nindent 8 }}
        infirmary/service: {{ .service }}
        {{- with .conf.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with mergeOverwrite (dict "kubectl.kubernetes.io/default-container" .service) .root.Values.commonAnnotations .conf.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "infirmary.pod" (merge (dict "account" (include "infirmary.name" (dict "root" .root "part" .service)) "spread" true) .) | nindent 6 }}
      # Before its longest request it is taken out of Services, after it spans and connections are given back.
      terminationGracePeriodSeconds: 35
      initContainers:
        {{- if $code }}
        {{- include "infirmary.codeCopy" (dict "root" .root "service" .service "resources" .process.resources) | nindent 8 }}
        {{- end }}
        # Waits until its stores answer and have its schema, says what it waits for, and does not restart meanwhile.
        {{- include "infirmary.container" (merge (dict "code" $code "name" "wait" "arguments" (list "wait" .service)) .) | nindent 8 }}
      containers:
        {{- include "infirmary.container" (merge (dict "code" $code "name" .service "arguments" (list .verb .service)) .) | nindent 8 }}
          ports:
            - {name: http, containerPort: {{ ternary 8080 8081 $web }}}
          {{- include "infirmary.probes" (dict "port" "http") | nindent 10 }}
          {{- include "infirmary.preStop" . | nindent 10 }}
      volumes:
        {{- include "infirmary.volumes" (merge (dict "code" $code) .) | nindent 8 }}
{{- end -}}

{{/* A container of a service's image: {root, service, conf, process, name, arguments, code?}. */}}
{{- define "infirmary.container" -}}
- name: {{ .name }}
  image: {{ include "infirmary.ownImage" (dict "root" .root "part" .service) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ toJson .arguments }}
  {{- include "infirmary.containerSecurity" . | nindent 2 }}
  env:
    {{- include "infirmary.env" . | trim | nindent 4 }}
  resources:
    {{- toYaml .process.resources | nindent 4 }}
  volumeMounts:
    - {name: secrets, mountPath: /run/secrets/infirmary, readOnly: true}
    - {name: tmp, mountPath: /tmp}
    {{- if .code }}
    - {name: code, mountPath: /app}
    {{- end }}
    {{- with .conf.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The volumes of a pod of a service: {root, service, conf, code?}. */}}
{{- define "infirmary.volumes" -}}
{{ include "infirmary.secretVolume" . }}
- name: tmp
  emptyDir: {sizeLimit: 32Mi}
{{- if .code }}
- name: code
  emptyDir: {sizeLimit: 32Mi}
{{- end }}
{{- with .conf.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
