{{/* In a demo: a database and an account for the service, made in the store of the house before its migration. */}}

{{- define "infirmary.storeName" -}}
{{- include "infirmary.name" (dict "root" .root "part" (include "infirmary.storePart" .store)) -}}
{{- end -}}

{{/* The store of the demo in which the service has its database, or nothing: {root, service}. */}}
{{- define "infirmary.providedStore" -}}
{{- range (get (include "infirmary.graph" .root | fromYaml).services .service).stores -}}
{{- if and (has . (list "mongodb" "postgresql")) (get $.root.Values.stores .).enabled }}{{ . }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* {root, service}. */}}
{{- define "infirmary.provide" -}}
{{- $store := include "infirmary.providedStore" . -}}
{{- if $store -}}
- name: provide
  image: {{ include "infirmary.image" (dict "root" .root "image" (get .root.Values.stores $store).image) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [bash, /run/provide/{{ $store }}.sh]
  {{- include "infirmary.containerSecurity" . | nindent 2 }}
  env:
    - {name: NAME, value: {{ .service }}}
    - {name: SERVER, value: {{ include "infirmary.storeName" (dict "root" .root "store" $store) }}}
    - {name: HOME, value: /tmp}
  resources:
    {{- toYaml .root.Values.migrations.resources | nindent 4 }}
  volumeMounts:
    - {name: provide, mountPath: /run/provide, readOnly: true}
    - {name: provide-secrets, mountPath: /run/secrets/provide, readOnly: true}
    - {name: tmp, mountPath: /tmp}
{{- end -}}
{{- end -}}

{{- define "infirmary.provideVolumes" -}}
{{- with include "infirmary.providedStore" . }}
- name: provide
  configMap:
    name: {{ include "infirmary.name" (dict "root" $.root "part" "stores") }}
- name: provide-secrets
  secret:
    secretName: {{ include "infirmary.generatedName" $.root }}
    defaultMode: 0440
    items:
      - {key: {{ . }}.password, path: administrator}
      - {key: {{ . }}.{{ $.service }}, path: service}
{{- end }}
{{- end -}}
