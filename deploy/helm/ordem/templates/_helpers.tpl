{{- define "ordem.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Labels that never change, because the selector of a StatefulSet is immutable. */ -}}
{{- define "ordem.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ordem.labels" -}}
{{ include "ordem.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Merges the labels or annotations of the chart (`own`, as YAML) with those of the values (`given`), which take precedence. */ -}}
{{- define "ordem.merged" -}}
{{- toYaml (merge (deepCopy (.given | default dict)) (fromYaml .own)) -}}
{{- end -}}

{{- define "ordem.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- /* The security context of a pod or container; empty if the whole context is unset. */ -}}
{{- define "ordem.securityContext" -}}
{{- with . -}}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* The placement of a pod: from `own`, or from `otherwise` where `own` is empty. */ -}}
{{- define "ordem.placement" -}}
{{- $otherwise := .otherwise | default dict -}}
{{- $placement := dict -}}
{{- range $name := list "nodeSelector" "tolerations" "affinity" "priorityClassName" -}}
{{- with get $.own $name | default (get $otherwise $name) -}}{{- $_ := set $placement $name . -}}{{- end -}}
{{- end -}}
{{- with $placement -}}{{- toYaml . -}}{{- end -}}
{{- end -}}

{{- /* Converts a duration of the configuration to whole seconds, rounded up. */ -}}
{{- define "ordem.seconds" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" -}}{{ div (add $number 999) 1000 }}
{{- else -}}{{ mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end -}}
{{- end -}}

{{- /* Converts a size of the configuration to bytes. */ -}}
{{- define "ordem.bytes" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9]+" $text | int64 -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- mul $number (get (dict "" 1 "B" 1 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824) $unit) -}}
{{- end -}}

{{- /* The effective value of a setting: from `config`, or the program's default. Only for settings that the chart uses in calculations. */ -}}
{{- define "ordem.setting" -}}
{{- $defaults := dict "max-body" "1MiB" "capture-max" "1MiB" "request-timeout" "30s" "drain-timeout" "20s" "max-in-flight" "8192"
      "persist-backlog-max" "10GiB" -}}
{{- get .config .name | default (get $defaults .name) | toString -}}
{{- end -}}

{{- define "ordem.drainSeconds" -}}
{{- include "ordem.seconds" (include "ordem.setting" (dict "config" .Values.config "name" "drain-timeout")) -}}
{{- end -}}

{{- /* Non-empty if a Postgres is configured. */ -}}
{{- define "ordem.hasPostgres" -}}
{{- if or .Values.postgres.enabled .Values.postgres.url .Values.postgres.existingSecret -}}yes{{- end -}}
{{- end -}}

{{- define "ordem.postgresName" -}}
{{ include "ordem.fullname" . }}-postgres
{{- end -}}

{{- /* The Secret with the address of Postgres, and the key in it. */ -}}
{{- define "ordem.postgresSecret" -}}
{{- if .Values.postgres.existingSecret -}}{{ .Values.postgres.existingSecret }}
{{- else if .Values.postgres.enabled -}}{{ include "ordem.postgresName" . }}
{{- else -}}{{ include "ordem.fullname" . }}
{{- end -}}
{{- end -}}

{{- define "ordem.postgresSecretKey" -}}
{{- if .Values.postgres.existingSecret -}}{{ .Values.postgres.existingSecretKey }}{{- else -}}url{{- end -}}
{{- end -}}

{{- /* The Secret with the addresses of NATS, and the key in it. */ -}}
{{- define "ordem.natsSecret" -}}
{{- .Values.cluster.nats.existingSecret | default (printf "%s-nats" (include "ordem.fullname" .)) -}}
{{- end -}}

{{- define "ordem.natsSecretKey" -}}
{{- if .Values.cluster.nats.existingSecret -}}{{ .Values.cluster.nats.existingSecretKey }}{{- else -}}urls{{- end -}}
{{- end -}}

{{- /* The variables by which the server and `ordem cluster` find the log. `root`: the chart's scope; `secret`: with the addresses. */ -}}
{{- define "ordem.clusterEnvironment" -}}
{{- $nats := .root.Values.cluster.nats -}}
- name: ORDEM_CLUSTER
  value: {{ .root.Values.cluster.name | quote }}
- name: ORDEM_NATS
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ include "ordem.natsSecretKey" .root }}
{{- if $nats.credentialsSecret }}
- name: ORDEM_NATS_CREDENTIALS
  value: /etc/ordem-nats-credentials/{{ $nats.credentialsSecretKey }}
{{- end }}
{{- if $nats.caSecret }}
- name: ORDEM_NATS_CA
  value: /etc/ordem-nats-ca/{{ $nats.caSecretKey }}
{{- end }}
{{- if $nats.certificateSecret }}
- name: ORDEM_NATS_CERTIFICATE
  value: /etc/ordem-nats-certificate/tls.crt
- name: ORDEM_NATS_KEY
  value: /etc/ordem-nats-certificate/tls.key
{{- end }}
{{- end -}}

{{- /* The Secrets that are mounted for NATS, as a list of objects with name, secret and keys. */ -}}
{{- define "ordem.natsFiles" -}}
{{- $nats := .Values.cluster.nats -}}
{{- $files := list -}}
{{- with $nats.credentialsSecret -}}{{- $files = append $files (dict "name" "nats-credentials" "secret" . "keys" (list $nats.credentialsSecretKey)) -}}{{- end -}}
{{- with $nats.caSecret -}}{{- $files = append $files (dict "name" "nats-ca" "secret" . "keys" (list $nats.caSecretKey)) -}}{{- end -}}
{{- with $nats.certificateSecret -}}{{- $files = append $files (dict "name" "nats-certificate" "secret" . "keys" (list "tls.crt" "tls.key")) -}}{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{- define "ordem.natsMounts" -}}
{{- range include "ordem.natsFiles" . | fromJsonArray }}
- name: {{ .name }}
  mountPath: /etc/ordem-{{ .name }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "ordem.natsVolumes" -}}
{{- range include "ordem.natsFiles" . | fromJsonArray }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      {{- range .keys }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end -}}

{{- /* The affinity of the engines of a cluster: away from each other, and from the pods of NATS. */ -}}
{{- define "ordem.clusterAffinity" -}}
{{- $engines := dict "labelSelector" (dict "matchLabels" (fromYaml (printf "%s\napp.kubernetes.io/component: server" (include "ordem.selectorLabels" .)))) "topologyKey" "kubernetes.io/hostname" -}}
{{- $preferred := list -}}
{{- with .Values.cluster.nats.podLabels -}}
{{- $nats := dict "labelSelector" (dict "matchLabels" .) "topologyKey" "kubernetes.io/hostname" -}}
{{- if semverCompare ">=1.22.0-0" $.Capabilities.KubeVersion.Version -}}{{- $_ := set $nats "namespaceSelector" dict -}}{{- end -}}
{{- $preferred = append $preferred (dict "weight" 50 "podAffinityTerm" $nats) -}}
{{- end -}}
{{- $rules := dict -}}
{{- if eq .Values.cluster.antiAffinity "required" -}}
{{- $_ := set $rules "requiredDuringSchedulingIgnoredDuringExecution" (list $engines) -}}
{{- else -}}
{{- $preferred = prepend $preferred (dict "weight" 100 "podAffinityTerm" $engines) -}}
{{- end -}}
{{- with $preferred -}}{{- $_ := set $rules "preferredDuringSchedulingIgnoredDuringExecution" . -}}{{- end -}}
{{- toYaml (dict "podAntiAffinity" $rules) -}}
{{- end -}}

{{- /* The placement of the engines. */ -}}
{{- define "ordem.serverPlacement" -}}
{{- $own := dict "nodeSelector" .Values.nodeSelector "tolerations" .Values.tolerations "affinity" .Values.affinity "priorityClassName" .Values.priorityClassName -}}
{{- if and .Values.cluster.enabled (not .Values.affinity) -}}{{- $_ := set $own "affinity" (fromYaml (include "ordem.clusterAffinity" .)) -}}{{- end -}}
{{- include "ordem.placement" (dict "own" $own) -}}
{{- end -}}

{{- /* Non-empty if there is a keys file. */ -}}
{{- define "ordem.hasKeys" -}}
{{- if and (eq .Values.auth.mode "required") (or .Values.auth.existingSecret .Values.auth.keys .Values.auth.trialKey) -}}yes{{- end -}}
{{- end -}}

{{- /* The Secret with the keys file, and the key in it. */ -}}
{{- define "ordem.keysSecret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-keys" (include "ordem.fullname" .)) -}}
{{- end -}}

{{- define "ordem.keysSecretKey" -}}
{{- if .Values.auth.existingSecret -}}{{ .Values.auth.existingSecretKey }}{{- else -}}keys{{- end -}}
{{- end -}}

{{- /* The Secret with the generated API key; empty if none is generated. */ -}}
{{- define "ordem.trialKeySecret" -}}
{{- if and (eq .Values.auth.mode "required") .Values.auth.trialKey (not .Values.auth.existingSecret) -}}
{{ include "ordem.fullname" . }}-trial-key
{{- end -}}
{{- end -}}

{{- /* The names that Host may have, separated by commas; empty if it is not checked. */ -}}
{{- define "ordem.allowedHosts" -}}
{{- $names := .Values.allowedHosts -}}
{{- if and .Values.ingress.enabled .Values.ingress.host -}}{{- $names = prepend $names .Values.ingress.host -}}{{- end -}}
{{- if has "*" $names -}}*
{{- else if $names -}}
{{- $services := list (include "ordem.fullname" .) (printf "%s-headless" (include "ordem.fullname" .)) -}}
{{- if .Values.captures.port -}}{{- $services = append $services (printf "%s-captures" (include "ordem.fullname" .)) -}}{{- end -}}
{{- range $service := $services -}}
{{- range list "" (printf ".%s" $.Release.Namespace) (printf ".%s.svc" $.Release.Namespace) (printf ".%s.svc.cluster.local" $.Release.Namespace) -}}
{{- $names = append $names (printf "%s%s" $service .) -}}
{{- end -}}
{{- end -}}
{{- join "," $names -}}
{{- end -}}
{{- end -}}

{{- /* The server's configuration file. */ -}}
{{- define "ordem.configuration" -}}
port = "8080"
operations-address = {{ .Values.address | quote }}
operations-port = {{ .Values.operations.port | toString | quote }}
{{- if .Values.captures.port }}
captures-address = {{ .Values.address | quote }}
captures-port = {{ .Values.captures.port | toString | quote }}
{{- end }}
auth = {{ .Values.auth.mode | quote }}
{{- if and (eq .Values.auth.mode "required") (eq .Values.auth.captures "none") }}
auth-captures = "none"
{{- end }}
{{- with include "ordem.allowedHosts" . }}
allowed-hosts = {{ quote . }}
{{- end }}
{{- if .Values.tls.existingSecret }}
tls-certificate = "/etc/ordem-tls/tls.crt"
tls-key = "/etc/ordem-tls/tls.key"
{{- end }}
{{- if .Values.tls.clientCaSecret }}
tls-client-ca = "/etc/ordem-client-ca/{{ .Values.tls.clientCaSecretKey }}"
{{- end }}
{{- range $name, $value := .Values.config }}
{{ $name }} = {{ ternary (int64 $value) $value (kindIs "float64" $value) | toString | quote }}
{{- end }}
{{- end -}}

{{- /* Rejects values that are well-formed but cannot work, each with an error message. */ -}}
{{- define "ordem.check" -}}
{{- $values := .Values -}}
{{- range $name, $labels := dict "podLabels" $values.podLabels "migration.labels" $values.migration.labels "test.labels" $values.test.labels -}}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- if hasKey ($labels | default dict) . -}}
{{- fail (printf "%s sets %s, which the selectors of the chart use to distinguish the pods: remove that label" $name .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (gt (int $values.replicas) 1) (not $values.cluster.enabled) -}}
{{- fail (printf "replicas is %d, but only one engine owns a data folder: set 1, or 0 to stop it, or cluster.enabled" (int $values.replicas)) -}}
{{- end -}}
{{- if $values.cluster.enabled -}}
{{- if and $values.cluster.nats.urls $values.cluster.nats.existingSecret -}}
{{- fail "cluster.nats.urls and cluster.nats.existingSecret are set, but there is one log: leave one of them" -}}
{{- end -}}
{{- if not (or $values.cluster.nats.urls $values.cluster.nats.existingSecret) -}}
{{- fail "cluster.enabled is set, but no NATS is configured: set cluster.nats.existingSecret" -}}
{{- end -}}
{{- if ne (default "fsync" (get $values.config "durability")) "fsync" -}}
{{- fail "config.durability must be fsync in a cluster, whose log decides what is durable: remove it" -}}
{{- end -}}
{{- end -}}
{{- $given := list -}}
{{- if $values.postgres.enabled -}}{{- $given = append $given "postgres.enabled" -}}{{- end -}}
{{- if $values.postgres.url -}}{{- $given = append $given "postgres.url" -}}{{- end -}}
{{- if $values.postgres.existingSecret -}}{{- $given = append $given "postgres.existingSecret" -}}{{- end -}}
{{- if gt (len $given) 1 -}}
{{- fail (printf "%s are set, but the engine writes to one Postgres: leave one of them" (join " and " $given)) -}}
{{- end -}}
{{- if and (eq (default "" (get $values.config "durability")) "postgres") (not $given) -}}
{{- fail "config.durability is postgres, but no Postgres is configured: set postgres.existingSecret" -}}
{{- end -}}
{{- if and (eq $values.auth.mode "required") (not (include "ordem.hasKeys" .)) (not (get $values.config "jwks")) -}}
{{- fail "auth.mode is required, but nothing names an identity: set auth.existingSecret, auth.keys, auth.trialKey or config.jwks" -}}
{{- end -}}
{{- if and (eq $values.auth.mode "none") (or $values.auth.existingSecret $values.auth.keys (get $values.config "jwks")) -}}
{{- fail "auth.mode is none, but identities are given: remove them, or set auth.mode to required" -}}
{{- end -}}
{{- if and $values.auth.existingSecret $values.auth.keys -}}
{{- fail "auth.existingSecret and auth.keys are set, but there is one keys file: leave one of them" -}}
{{- end -}}
{{- if and $values.tls.clientCaSecret (not $values.tls.existingSecret) -}}
{{- fail "tls.clientCaSecret is set, but without TLS there are no client certificates: set tls.existingSecret" -}}
{{- end -}}
{{- $ports := list 8080 (int $values.operations.port) -}}
{{- if $values.captures.port -}}{{- $ports = append $ports (int $values.captures.port) -}}{{- end -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- fail "operations.port, captures.port and 8080, the port of the server, must differ" -}}
{{- end -}}
{{- if and $values.ingress.enabled $values.ingress.tls.secretName (not $values.ingress.host) -}}
{{- fail "ingress.tls.secretName is set, but a certificate needs a host name: set ingress.host" -}}
{{- end -}}
{{- end -}}
