import { createHash } from 'node:crypto'
import {
  aroundCalls,
  type Backend,
  BoundedMap,
  errorMessage,
  isBytes,
  isP2plError,
  type Layer,
  type LayerCall,
  type PublishResult,
  type Subscriber
} from '@p2pl/core/backend'
import { machineNow, type Traces } from './traces.ts'

/** How many failed calls are remembered, because they may be repeated. */
const maxFailed = 1_024
/** How many blocks are remembered that nobody waits for any more. The engine may still get them. */
const maxGivenUp = 1_024

/**
 * Traces each message and each block on its way between a peer and its engine. It observes and changes nothing. The
 * spans of the layer `tracing` do not show what comes in, and the records of `metrics` name no CIDs; all three use the
 * same hooks, `aroundCalls`.
 */
export function traffic(traces: Traces): Layer {
  const failed = new BoundedMap<string, number>(maxFailed)
  /** Since when each block was wanted. */
  const givenUp = new BoundedMap<string, number>(maxGivenUp)
  return <B extends Backend>(backend: B): B =>
    aroundCalls({
      call: async (call, run) => {
        if (!traces.watched) return await run()
        const key = `${call.operation} ${subjectOf(call)}`
        const attempts = failed.get(key)
        if (attempts !== undefined)
          traces.add({ type: 'retry', operation: call.operation, subject: subjectOf(call), attempt: attempts + 1 })
        const cid = String(call.cid)
        const fetches = mayAskOthers(call)
        const wanted = fetches && (await isMissing(backend, call))
        const began = machineNow()
        if (wanted) traces.add({ type: 'want', cid, from: askedFirst(call) }, began)
        try {
          const result = await run()
          failed.delete(key)
          // The block may have arrived after the call that wanted it was given up. Then it is found here.
          const since = wanted ? began : fetches ? givenUp.get(cid) : undefined
          if (since === undefined) report(traces, call, result, began)
          else {
            givenUp.delete(cid)
            const bytes = isBytes(result) ? { bytes: result.byteLength } : {}
            traces.add({ type: 'block', cid, ms: machineNow() - since, ...bytes })
          }
          return result
        } catch (error) {
          if (wanted && isP2plError(error, 'ABORTED')) givenUp.set(cid, givenUp.get(cid) ?? began)
          if (!isExpected(error, call)) {
            failed.set(key, (attempts ?? 0) + 1)
            traces.add({ type: 'fault', operation: call.operation, subject: subjectOf(call), ...reasonOf(error) })
          }
          throw error
        }
      },
      subscriber: (subscriber, topic) => watched(traces, subscriber, topic)
    })(backend)
}

function report(traces: Traces, call: LayerCall, result: unknown, began: number): void {
  const ms = machineNow() - began
  const { operation, topic, payload, cid, blocks = [] } = call
  if (operation === 'messages.publish' && topic !== undefined && payload !== undefined) {
    const { recipients } = result as PublishResult
    traces.add(
      { type: 'published', ...messageOf(topic, payload), ms, ...(recipients !== undefined && { recipients }) },
      began
    )
  } else if (operation === 'blocks.putMany') {
    for (const block of blocks) traces.add({ type: 'have', cid: block.cid.toString(), bytes: block.bytes.byteLength })
  } else if (operation === 'routing.provide') traces.add({ type: 'provided', cid: String(cid) })
}

function watched(traces: Traces, subscriber: Subscriber, topic: string): Subscriber {
  return {
    message: (message) => {
      if (traces.watched) {
        const { payload, from, via } = message
        const sender = { ...(from !== undefined && { from }), ...(via !== undefined && { via }) }
        traces.add({ type: 'received', ...messageOf(topic, payload), ...sender })
      }
      return subscriber.message(message)
    },
    gap: (gap) => {
      traces.add({ type: 'gap', topic, ...gap })
      subscriber.gap(gap)
    },
    state: (state) => subscriber.state?.(state)
  }
}

function mayAskOthers({ operation, cid, options }: LayerCall): boolean {
  return (operation === 'blocks.get' || operation === 'blocks.pin') && cid !== undefined && options.local !== true
}

/** Whether a call that may ask others has to ask them: the block is not here, or must not be taken from here. */
async function isMissing(backend: Backend, { cid, options }: LayerCall): Promise<boolean> {
  if (cid === undefined) return false
  if (options.remote === true) return true
  try {
    return (await backend.blocks?.has(cid, { signal: options.signal })) === false
  } catch {
    return false
  }
}

/** A caller that aborts no longer needs the answer, and a store may lack a block. */
function isExpected(error: unknown, { options }: LayerCall): boolean {
  return isP2plError(error, 'ABORTED') || (options.local === true && isP2plError(error, 'NOT_FOUND'))
}

function messageOf(topic: string, payload: Uint8Array): { message: string; topic: string; bytes: number } {
  const message = createHash('sha256').update(payload).digest('hex').slice(0, 16)
  return { message, topic, bytes: payload.byteLength }
}

function askedFirst({ options: { providers = [] } }: LayerCall): string[] {
  return providers.map(({ id }) => id)
}

function subjectOf({ topic, cid, peer, id = peer?.id }: LayerCall): string {
  return topic ?? (cid === undefined ? (id ?? '') : String(cid))
}

function reasonOf(error: unknown): { code: string; reason: string } {
  const reason = errorMessage(error)
  return { code: isP2plError(error) ? error.code : 'unknown', reason: reason.slice(0, 300) }
}
