import { checkFunction, checkKeys, checkNumber } from '@p2pl/core/backend'
import { Counter, Histogram } from './internal/counters.ts'
import type { Metric } from './internal/exposition.ts'
import { Labels } from './internal/labels.ts'
import type { MetricsSink } from './metrics.ts'

export { formatMetrics, type Metric, type Sample } from './internal/exposition.ts'

export interface PrometheusOptions {
  /** How many topics have their own label: the first ones. All others share `other`. Default 32. */
  topics?: number | undefined
  /** Returns the label of a topic, so that topics of one kind can share it: `room/…`. Default: the topic's name. */
  labelOf?: ((topic: string) => string) | undefined
}

/**
 * A sink for `metrics` that keeps its figures in the form that Prometheus collects. `metrics` returns a copy of the current
 * figures, and `formatMetrics` turns it into text.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function prometheusSink(options: PrometheusOptions = {}): MetricsSink & { metrics(): Metric[] } {
  checkKeys('prometheusSink', options, ['topics', 'labelOf'])
  checkFunction('prometheusSink', 'labelOf', options.labelOf)
  const { labelOf = (topic: string) => topic } = options
  const labels = new Labels(checkNumber('prometheusSink', 'topics', options.topics, { min: 0, integer: true }, 32))
  const calls = new Counter('p2pl_calls_total', 'Calls of a backend that ended; code says why a call failed.')
  const durations = new Histogram('p2pl_call_duration_seconds', 'How long calls of a backend took.')
  const bytes = new Counter(
    'p2pl_bytes_total',
    'Payload and block bytes handed to a backend (out) or given by it (in).'
  )
  const messages = new Counter('p2pl_topic_messages_total', 'Envelopes published (out) and received (in).')
  const messageBytes = new Counter('p2pl_topic_bytes_total', 'Bytes of envelopes published (out) and received (in).')
  const gaps = new Counter('p2pl_topic_gaps_total', 'Losses of messages that the engine reported.')

  const onTopic = (backend: string, topic: string, direction: 'in' | 'out', size: number): void => {
    const of = { backend, topic: labels.of(labelOf(topic)), direction }
    messages.add(of, 1)
    messageBytes.add(of, size)
  }
  return {
    onCall: ({ backend, operation, topic, outcome, code = '', duration, sentBytes, receivedBytes }) => {
      calls.add({ backend, operation, outcome, code }, 1)
      durations.observe({ backend, operation }, duration / 1_000)
      if (sentBytes > 0) bytes.add({ backend, operation, direction: 'out' }, sentBytes)
      if (receivedBytes > 0) bytes.add({ backend, operation, direction: 'in' }, receivedBytes)
      if (operation === 'messages.publish' && outcome === 'ok' && topic !== undefined) {
        onTopic(backend, topic, 'out', sentBytes)
      }
    },
    onIncoming: ({ backend, topic, event, receivedBytes }) => {
      if (event === 'message') onTopic(backend, topic, 'in', receivedBytes)
      else gaps.add({ backend, topic: labels.of(labelOf(topic)) }, 1)
    },
    metrics: () => [calls, durations, bytes, messages, messageBytes, gaps].map((figure) => figure.metric())
  }
}
