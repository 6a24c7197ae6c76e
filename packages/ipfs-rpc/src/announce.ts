import type { Engine } from './engine.ts'
import { classify, RpcStatusError } from './errors.ts'

/** Resolves when the record is with others. */
export async function announce(
  engine: Engine,
  operation: string,
  arg: string,
  signal: AbortSignal | undefined
): Promise<void> {
  const events = engine.rpc.lines('routing/provide', { arg }, { operation, signal, lane: 'network' })
  for await (const event of events) {
    const error = event['Message']
    if (typeof error === 'string' && error !== '') throw classify(operation, new RpcStatusError(200, error))
  }
}
