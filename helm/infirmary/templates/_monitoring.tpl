{{/* What the watchers of a demo read. */}}

{{/* The parts that have metrics, and at which port. */}}
{{- define "infirmary.scrapedParts" -}}
gateway: 8081
{{- range $service, $_ := .Values.services }}
{{ $service }}: 8080
{{- if not (include "infirmary.isBeside" (dict "root" $ "service" $service)) }}
{{ $service }}-worker: 8081
{{- end }}
{{- end }}
{{- end -}}

{{/* The name that has an address for each process of a part: {root, part}. */}}
{{- define "infirmary.scrapedName" -}}
{{ include "infirmary.name" . }}-metrics
{{- end -}}

{{/* All files, by name. */}}
{{- define "infirmary.monitoringFiles" -}}
{{- $files := dict "collector.yaml" (.Files.Get "observability/collector.yaml") "jaeger.yaml" (.Files.Get "files/jaeger.yaml")
  "prometheus.yaml" (include "infirmary.prometheus" .) "sources.yaml" (include "infirmary.sources" .)
  "provider.yaml" (include "infirmary.provider" .) -}}
{{- range $path, $content := .Files.Glob "observability/rules/*.yaml" }}{{ $_ := set $files (printf "rules-%s" (base $path)) (toString $content) }}{{ end -}}
{{- toYaml $files -}}
{{- end -}}

{{/* One of these files in a volume of its own: {files, volume, path, key}. */}}
{{- define "infirmary.monitoringFile" -}}
name: {{ .volume }}
path: {{ .path }}
source:
  configMap:
    name: {{ .files }}
    items: [{key: {{ .key }}, path: {{ .key }}}]
{{- end -}}

{{/* {port, alive, ready}. */}}
{{- define "infirmary.watcherProbes" -}}
startupProbe:
  httpGet: {path: {{ .alive }}, port: {{ .port }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 150
livenessProbe:
  httpGet: {path: {{ .alive }}, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: {{ .ready }}, port: {{ .port }}}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
{{- end -}}

{{/* Prometheus asks every process by its own address, under the name of its service. */}}
{{- define "infirmary.prometheus" -}}
global:
  scrape_interval: {{ .Values.monitoring.prometheus.interval }}
  scrape_timeout: {{ .Values.monitoring.prometheus.interval }}
  evaluation_interval: {{ .Values.monitoring.prometheus.interval }}
rule_files: [/etc/infirmary/rules/*.yaml]
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["127.0.0.1:9090"]
        labels: {process: monitor}
  - job_name: gateway
    dns_sd_configs:
      - {{- include "infirmary.found" (dict "root" . "part" "gateway" "port" 8081) | nindent 8 }}
    relabel_configs:
      - {target_label: process, replacement: gateway}
{{- range $service, $_ := .Values.services }}
  - job_name: {{ $service }}
    dns_sd_configs:
      - {{- include "infirmary.found" (dict "root" $ "part" $service "port" 8080) | nindent 8 }}
      {{- if not (include "infirmary.isBeside" (dict "root" $ "service" $service)) }}
      - {{- include "infirmary.found" (dict "root" $ "part" (printf "%s-worker" $service) "port" 8081) | nindent 8 }}
      {{- end }}
    relabel_configs:
      - {target_label: process, replacement: web}
      - {source_labels: [__meta_dns_name], regex: .*-worker-metrics, target_label: process, replacement: worker}
{{- end }}
{{- end -}}

{{/* {root, part, port}. */}}
{{- define "infirmary.found" -}}
names: [{{ include "infirmary.scrapedName" . }}]
type: A
port: {{ .port }}
refresh_interval: 10s
{{- end -}}

{{/* The data sources of Grafana; a point of a histogram leads to its trace. */}}
{{- define "infirmary.sources" -}}
{{- $ports := (include "infirmary.graph" . | fromYaml).watchers -}}
apiVersion: 1
prune: true
datasources:
  - name: Prometheus
    uid: prometheus
    type: prometheus
    access: proxy
    url: http://{{ include "infirmary.name" (dict "root" . "part" "prometheus") }}:{{ $ports.prometheus.web }}
    isDefault: true
    editable: false
    jsonData:
      httpMethod: POST
      timeInterval: {{ .Values.monitoring.prometheus.interval }}
      exemplarTraceIdDestinations:
        - {name: trace_id, datasourceUid: jaeger}
  - name: Jaeger
    uid: jaeger
    type: jaeger
    access: proxy
    url: http://{{ include "infirmary.name" (dict "root" . "part" "jaeger") }}:{{ $ports.jaeger.web }}
    editable: false
{{- end -}}

{{/* Where Grafana finds the dashboards. */}}
{{- define "infirmary.provider" -}}
apiVersion: 1
providers:
  - name: infirmary
    folder: Infirmary
    type: file
    allowUiUpdates: false
    updateIntervalSeconds: 60
    options: {path: /etc/infirmary/dashboards}
{{- end -}}

{{/* Nothing is asked of the internet; whoever looks signs in. */}}
{{- define "infirmary.grafanaEnv" -}}
GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false"
GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
GF_ANALYTICS_REPORTING_ENABLED: "false"
GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: /etc/infirmary/dashboards/overview.json
GF_LOG_MODE: console
GF_NEWS_NEWS_FEED_ENABLED: "false"
GF_PLUGINS_PREINSTALL_AUTO_UPDATE: "false"
GF_PLUGINS_PREINSTALL_DISABLED: "true"
GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/grafana/password
GF_SECURITY_DISABLE_GRAVATAR: "true"
GF_SECURITY_SECRET_KEY__FILE: /run/secrets/grafana/key
GF_USERS_ALLOW_SIGN_UP: "false"
{{- end -}}
