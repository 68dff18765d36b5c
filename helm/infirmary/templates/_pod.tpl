{{/* What every pod has: no rights, no token, nothing written but to volumes of a stated size. */}}

{{/* {root, part, account, conf: priorityClassName nodeSelector tolerations affinity}. */}}
{{- define "infirmary.pod" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- if not .root.Values.openshift }}
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with .conf.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .conf.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .conf.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .conf.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and .spread (not .conf.affinity) }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "infirmary.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "infirmary.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Seconds in which a pod is taken out of Services before its process is told to stop: {root}. */}}
{{- define "infirmary.preStop" -}}
lifecycle:
  preStop:
    {{- if include "infirmary.canSleep" .root }}
    sleep:
      seconds: 5
    {{- else }}
    exec:
      command: [sleep, "5"]
    {{- end }}
{{- end -}}

{{/* {path, port}: alive asks nobody; a start has two minutes; ready asks what it cannot work without. */}}
{{- define "infirmary.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: {{ .port }}}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* How many at least: {process: replicas, autoscaling}. */}}
{{- define "infirmary.atLeast" -}}
{{- if .process.autoscaling.enabled }}{{ .process.autoscaling.minReplicas }}{{ else }}{{ .process.replicas }}{{ end -}}
{{- end -}}

{{/* Replicas, history and the way of rolling: {process}. */}}
{{- define "infirmary.rolling" -}}
{{- if not .process.autoscaling.enabled }}
replicas: {{ .process.replicas }}
{{- end }}
minReadySeconds: 5
revisionHistoryLimit: 3
progressDeadlineSeconds: 600
strategy:
  type: RollingUpdate
  rollingUpdate:
    maxSurge: 1
    maxUnavailable: 0
{{- end -}}

{{/* What follows from more than one process: {root, part, process}. */}}
{{- define "infirmary.scaling" -}}
{{- if .process.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "infirmary.meta" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "infirmary.name" . }}
  minReplicas: {{ .process.autoscaling.minReplicas }}
  maxReplicas: {{ .process.autoscaling.maxReplicas }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
  metrics:
    {{- with .process.autoscaling.cpuPercent }}
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ . }}}
    {{- end }}
    {{- with .process.autoscaling.metrics }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- if and .root.Values.podDisruptionBudget.enabled (gt (include "infirmary.atLeast" . | int) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "infirmary.meta" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "infirmary.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* An account that may nothing: {root, part, annotations?}. */}}
{{- define "infirmary.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "infirmary.meta" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{/* Code in a volume, for `skaffold dev`: {root, service}. */}}
{{- define "infirmary.codeCopy" -}}
- name: code
  image: {{ include "infirmary.ownImage" (dict "root" .root "part" .service) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [cp, -r, /app/., /code]
  {{- include "infirmary.containerSecurity" . | nindent 2 }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  volumeMounts:
    - {name: code, mountPath: /code}
{{- end -}}
