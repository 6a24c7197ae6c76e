import type { Peer } from '@p2pl/core'
import type { Layer } from '@p2pl/layers'

export interface Tracer {
  /** Makes a span for each call of a backend. */
  readonly layer: Layer
  /** Makes spans for the calls of a peer, and carries traces to other peers. */
  around(peer: Peer): Peer
}

/** Loaded only on demand, so that a node without tracing pays nothing. */
export async function openTracer(onWarning: ((message: string) => void) | undefined): Promise<Tracer> {
  const { trace } = await import('@opentelemetry/api')
  const { tracePeer, tracing } = await import('@p2pl/layers/tracing')
  const tracer = trace.getTracer('p2pl-ledger')
  const probe = tracer.startSpan('run')
  if (!probe.isRecording()) {
    onWarning?.(
      'nothing records the spans of --trace: register an OpenTelemetry SDK before the program starts, NODE_OPTIONS="--import ./otel.mjs"'
    )
  }
  probe.end()
  return { layer: tracing({ tracer }), around: (peer) => tracePeer(peer, { tracer }) }
}
