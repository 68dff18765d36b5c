{{/*
What is one process, never two at once, on a volume of its own where it keeps data: a store of a demo, or what watches the house.
{root, part, container, values: image resources storage?, ports: {name: port}, probes, volumes: [{name, path, source, subPath?}], checksum,
mount?, command?, arguments?, env?, seen?: found by its name before it is ready}.
*/}}
{{- define "infirmary.single" -}}
{{- $name := include "infirmary.name" . -}}
{{- $context := merge (dict "account" $name "conf" (dict)) . }}
---
{{ include "infirmary.account" $context }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "infirmary.meta" $context | nindent 2 }}
spec:
  clusterIP: None
  # A replica set must find itself before it is ready.
  publishNotReadyAddresses: {{ default false .seen }}
  ports:
    {{- range $port, $number := .ports }}
    - {name: {{ $port }}, port: {{ $number }}, targetPort: {{ $port }}}
    {{- end }}
  selector:
    {{- include "infirmary.selector" $context | nindent 4 }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "infirmary.meta" $context | nindent 2 }}
spec:
  serviceName: {{ $name }}
  replicas: 1
  revisionHistoryLimit: 3
  {{- with .values.storage }}
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: {{ ternary "Retain" "Delete" .retain }}
    whenScaled: Retain
  {{- end }}
  selector:
    matchLabels:
      {{- include "infirmary.selector" $context | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "infirmary.labels" $context | nindent 8 }}
      annotations:
        checksum/config: {{ .checksum | sha256sum | trunc 16 }}
        {{- with .root.Values.commonAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "infirmary.pod" $context | nindent 6 }}
      terminationGracePeriodSeconds: 60
      containers:
        - name: {{ .container }}
          image: {{ include "infirmary.image" (dict "root" .root "image" .values.image) }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          {{- with .arguments }}
          args: {{ toJson . }}
          {{- end }}
          {{- include "infirmary.containerSecurity" . | nindent 10 }}
          {{- with .env }}
          env:
            {{- range $key, $value := . }}
            - {name: {{ $key }}, value: {{ quote $value }}}
            {{- end }}
          {{- end }}
          ports:
            {{- range $port, $number := .ports }}
            - {name: {{ $port }}, containerPort: {{ $number }}}
            {{- end }}
          {{- .probes | nindent 10 }}
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            {{- if .mount }}
            - {name: data, mountPath: {{ .mount }}}
            {{- end }}
            {{- range .volumes }}
            - {name: {{ .name }}, mountPath: {{ .path }}{{ if not (hasKey .source "emptyDir") }}, readOnly: true{{ end }}}
            {{- end }}
      volumes:
        {{- range .volumes }}
        - name: {{ .name }}
          {{- toYaml .source | nindent 10 }}
        {{- end }}
  {{- with .values.storage }}
  volumeClaimTemplates:
    - metadata:
        name: data
        labels:
          {{- include "infirmary.selector" $context | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .size }}
  {{- end }}
{{- end -}}
