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
{{- if gt (int $values.replicas) 1 -}}
{{- fail (printf "replicas is %d, but only one engine owns a data folder: set 1, or 0 to stop it" (int $values.replicas)) -}}
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
