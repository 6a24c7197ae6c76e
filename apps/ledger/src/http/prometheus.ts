/** A number, or one for each set of labels. */
export interface Metric {
  /** Without the prefix that all have. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[]
}

const prefix = 'p2pl_ledger_'

/** The text format of Prometheus, version 0.0.4. */
export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${prefix}${name} ${help}`,
      `# TYPE ${prefix}${name} ${type}`,
      ...samples.map(({ labels = {}, value }) => `${prefix}${name}${formatLabels(labels)} ${value}`)
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
