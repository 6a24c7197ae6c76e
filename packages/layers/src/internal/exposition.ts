import { describe, invalidArgument } from '@p2pl/core/backend'

/** A number, or one for each set of labels. */
export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** For a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly value: number
}

/** The text format of Prometheus, version 0.0.4. Throws `INVALID_ARGUMENT` for anything but a list of metrics. */
export function formatMetrics(metrics: readonly Metric[]): string {
  if (!(Array.isArray as (value: unknown) => boolean)(metrics)) {
    const fix = 'give it a list, such as sink.metrics() of a prometheusSink'
    throw invalidArgument('formatMetrics', `formatMetrics: ${fix}, not ${describe(metrics)}`)
  }
  return metrics
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ suffix = '', labels = {}, value }) => `${name}${suffix}${formatLabels(labels)} ${value}`)
    ])
    .map((line) => `${line}\n`)
    .join('')
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const list = Object.entries(labels).map(([key, value]) => `${key}="${escape(value)}"`)
  return list.length === 0 ? '' : `{${list.join(',')}}`
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
