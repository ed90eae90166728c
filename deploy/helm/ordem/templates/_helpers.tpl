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
{{- if and $values.ingress.enabled $values.ingress.tls.secretName (not $values.ingress.host) -}}
{{- fail "ingress.tls.secretName is set, but a certificate needs a host name: set ingress.host" -}}
{{- end -}}
{{- end -}}
