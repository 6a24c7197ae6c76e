import { appendFileSync } from 'node:fs'
import { trace } from '@opentelemetry/api'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'

// What an operator would register with NODE_OPTIONS="--import …". Here each span becomes a line of JSON in the file
// P2PL_SPANS.

const path = process.env['P2PL_SPANS'] ?? ''

trace.setGlobalTracerProvider(
  new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: (span) => {
          const { name, attributes, parentSpanContext } = span
          const line = { name, attributes, ...span.spanContext(), parent: parentSpanContext?.spanId }
          appendFileSync(path, `${JSON.stringify(line)}\n`)
        },
        forceFlush: async () => undefined,
        shutdown: async () => undefined
      }
    ]
  })
)
