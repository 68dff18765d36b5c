{{/* Where secret settings come from. They are mounted as files, one volume a pod, with only what that service wants. */}}

{{- define "infirmary.generatedName" -}}
{{ include "infirmary.fullname" . }}-generated
{{- end -}}

{{/* The secret settings that a service must have, and the store whose address each is, if any: {root, service}. */}}
{{- define "infirmary.wanted" -}}
{{- $graph := include "infirmary.graph" .root | fromYaml -}}
{{- $service := get $graph.services .service -}}
{{- $wanted := ternary (dict) (dict "SERVICE_SECRET" "") (eq "yes" (include "infirmary.isBeside" .)) -}}
{{- range $service.stores }}{{ $_ := set $wanted (get $graph.stores .).setting . }}{{ end -}}
{{- range $name, $kind := $service.secrets }}{{ $_ := set $wanted $name "" }}{{ end -}}
{{- toYaml $wanted -}}
{{- end -}}

{{/* The Secret and key of one setting, or nothing: {root, service, setting, store}. What was named goes before what is made. */}}
{{- define "infirmary.place" -}}
{{- $conf := include "infirmary.conf" . | fromYaml -}}
{{- $made := dict "name" (include "infirmary.generatedName" .root) "key" (printf "%s.%s" .service .setting) -}}
{{- if hasKey $conf.secretRefs .setting -}}
{{ toYaml (get $conf.secretRefs .setting) }}
{{- else if hasKey .root.Values.secrets.refs .setting -}}
{{ toYaml (get .root.Values.secrets.refs .setting) }}
{{- else if $conf.existingSecret -}}
{{ toYaml (dict "name" $conf.existingSecret "key" .setting) }}
{{- else if not .root.Values.secrets.generate -}}
{{- else if .store -}}
{{ if (get .root.Values.stores .store).enabled }}{{ toYaml $made }}{{ end }}
{{- else -}}
{{ toYaml $made }}
{{- end -}}
{{- end -}}

{{/* All secret settings of a service with their places: {root, service}. */}}
{{- define "infirmary.places" -}}
{{- $context := . -}}
{{- $places := dict -}}
{{- range $setting, $store := include "infirmary.wanted" . | fromYaml -}}
{{- $place := include "infirmary.place" (merge (dict "setting" $setting "store" $store) $context) | fromYaml -}}
{{- $_ := set $places $setting $place -}}
{{- end -}}
{{- range $setting, $place := (include "infirmary.conf" . | fromYaml).secretRefs -}}
{{- $_ := set $places $setting $place -}}
{{- end -}}
{{- toYaml $places -}}
{{- end -}}

{{/* What is wanted from Secrets of others: by name of the Secret and key, what for. */}}
{{- define "infirmary.given" -}}
{{- $root := . -}}
{{- $given := dict -}}
{{- $wants := list -}}
{{- range $service, $_ := .Values.services -}}
{{- range $setting, $place := include "infirmary.places" (dict "root" $root "service" $service) | fromYaml -}}
{{- if and $place (ne (default "" $place.name) (include "infirmary.generatedName" $root)) -}}
{{- $wants = append $wants (dict "name" $place.name "key" $place.key "for" (printf "%s of %s" $setting $service)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.gateway.tlsSecret -}}
{{- range list "tls.crt" "tls.key" }}{{ $wants = append $wants (dict "name" $root.Values.gateway.tlsSecret "key" . "for" "HTTPS of the gateway") }}{{ end -}}
{{- end -}}
{{- if and .Values.tests.enabled .Values.tests.existingSecret -}}
{{- range list "username" "password" }}{{ $wants = append $wants (dict "name" $root.Values.tests.existingSecret "key" . "for" "helm test") }}{{ end -}}
{{- end -}}
{{- if and .Values.monitoring.enabled .Values.monitoring.grafana.existingSecret -}}
{{- range list "password" "key" }}{{ $wants = append $wants (dict "name" $root.Values.monitoring.grafana.existingSecret "key" . "for" "Grafana") }}{{ end -}}
{{- end -}}
{{- range $wants -}}
{{- $keys := default (dict) (get $given .name) -}}
{{- $_ := set $keys .key (append (default (list) (get $keys .key)) .for) -}}
{{- $_ := set $given .name $keys -}}
{{- end -}}
{{- toYaml $given -}}
{{- end -}}

{{/* The volume with these files: {root, service}. */}}
{{- define "infirmary.secretVolume" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $setting, $place := include "infirmary.places" . | fromYaml }}
      - secret:
          name: {{ $place.name }}
          items:
            - key: {{ $place.key }}
              path: {{ $setting }}
      {{- end }}
{{- end -}}

{{/* The environment of a service: files of secrets, addresses of those it calls, settings. {root, service}. */}}
{{- define "infirmary.env" -}}
{{- $root := .root -}}
{{- $conf := include "infirmary.conf" . | fromYaml -}}
{{- range $setting, $_ := include "infirmary.places" . | fromYaml }}
- name: {{ $setting }}_FILE
  value: /run/secrets/infirmary/{{ $setting }}
{{- end }}
{{- $env := dict "HOST" "0.0.0.0" "PORT" "8080" -}}
{{- if include "infirmary.isBeside" . -}}
{{- $_ := set $env "PUBLIC_URL" (include "infirmary.publicUrl" $root) -}}
{{- else -}}
{{- $_ := set $env "WORKER_PORT" "8081" -}}
{{- $_ := set $env "IDENTITY_URL" (include "infirmary.url" (dict "root" $root "part" "identity")) -}}
{{- end -}}
{{- range (get (include "infirmary.graph" $root | fromYaml).services .service).calls -}}
{{- $_ := set $env (printf "%s_URL" (upper .)) (include "infirmary.url" (dict "root" $root "part" .)) -}}
{{- end -}}
{{- with include "infirmary.otlp" $root }}{{ $_ := set $env "OTEL_EXPORTER_OTLP_ENDPOINT" . }}{{ end -}}
{{- range $name, $value := mergeOverwrite $env $conf.settings }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end }}
{{- with $conf.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
