import {
  errorMessage,
  type HookOptions,
  isP2plError,
  type MessageCapabilities,
  type MessageHooks,
  P2plError,
  type PeerInfo,
  type PublishResult
} from '@p2pl/core/backend'
import { attempts } from './attempts.ts'
import { mostTelling, movesOn, nothingWorks } from './faults.ts'
import type { Leg } from './leg.ts'
import type { Legs } from './legs.ts'
import { JoinedTopic } from './topics.ts'

/** Once one leg has taken a message, the others get this many more milliseconds before the publish resolves without them. */
const publishPatience = 250
const operation = 'messages.publish'

/**
 * @param spread - `first`: a message goes to the first leg where a peer receives it, and to the legs on which its topic was
 *   heard recently. `all`: it goes to all legs in use.
 */
export function messageHooks(
  legs: Legs,
  spread: 'first' | 'all',
  capabilities: () => MessageCapabilities
): MessageHooks {
  const joined = new Map<string, JoinedTopic>()

  const on = async (leg: Leg, topic: string, payload: Uint8Array, options: HookOptions): Promise<PublishResult> =>
    await legs.run(leg, operation, options, async (inner) => {
      const result = await leg.backend.messages?.publish(topic, payload, inner)
      return capabilities().recipients === 'none' ? {} : { recipients: result?.recipients ?? 0 }
    })

  const toAll = async (
    to: readonly Leg[],
    topic: string,
    payload: Uint8Array,
    options: HookOptions
  ): Promise<PublishResult> => {
    // The caller may change the bytes afterwards, and a leg that is slower than the others must not see that.
    const bytes = to.length > 1 ? new Uint8Array(payload) : payload
    const works = to.map(async (leg) => await on(leg, topic, bytes, options))
    const { values, errors } = await attempts(legs.clock, works, publishPatience)
    if (values.length > 0) return most(values)
    const doubtful = errors.find((error) => to.some((leg) => isUncertain(error, leg)))
    throw doubtful === undefined ? (mostTelling(errors) ?? nothingWorks()) : uncertain(doubtful)
  }

  return {
    publish: async (topic, payload, options) => {
      const { candidates } = legs
      if (spread === 'all') return await toAll(candidates, topic, payload, options)
      const hearing = candidates.slice(1).filter((leg) => joined.get(topic)?.hears(leg) === true)
      if (hearing.length > 0) return await toAll([candidates[0] as Leg, ...hearing], topic, payload, options)
      return await toFirst(candidates, async (leg) => await on(leg, topic, payload, options))
    },

    join: async (topic, subscriber, options) => {
      const own = new JoinedTopic(legs, topic, subscriber, options, capabilities)
      await own.open()
      joined.set(topic, own)
      return {
        close: async () => {
          if (joined.get(topic) === own) joined.delete(topic)
          await own.close()
        }
      }
    },

    peers: async (topic, options) => {
      const works = legs.candidates.map(
        async (leg) =>
          (await legs.run(leg, 'messages.peers', options, async (inner) =>
            leg.backend.messages?.peers(topic, inner)
          )) ?? []
      )
      const { values, errors } = await attempts(legs.clock, works, publishPatience)
      if (values.length === 0) throw mostTelling(errors) ?? nothingWorks()
      return values.reduce(
        (longest, list) => (list.length > longest.length ? list : longest),
        [] as readonly PeerInfo[]
      )
    }
  }
}

/** Tries the legs in order, until a peer receives the message. */
async function toFirst(
  candidates: readonly Leg[],
  publish: (leg: Leg) => Promise<PublishResult>
): Promise<PublishResult> {
  let failure: unknown
  let nobody: PublishResult | undefined
  for (const leg of candidates) {
    try {
      const result = await publish(leg)
      if (result.recipients !== 0) return result
      nobody = result
    } catch (error) {
      if (!movesOn(error)) throw error
      if (isUncertain(error, leg)) throw uncertain(error)
      failure ??= error
    }
  }
  if (nobody !== undefined) return nobody
  throw failure ?? nothingWorks()
}

/** A peer may be on several legs, so only the largest number is certain. */
function most(results: readonly PublishResult[]): PublishResult {
  return results.reduce((best, result) => ((result.recipients ?? 0) > (best.recipients ?? 0) ? result : best))
}

/** Whether it is unknown if the leg has sent the message: it gave no answer in time, or went out of use in between. */
function isUncertain(error: unknown, leg: Leg): boolean {
  return isP2plError(error, 'TIMEOUT') || isP2plError(error, 'UNCERTAIN') || error === leg.term.signal.reason
}

/** The error with the code for that. Core sends such a message again if receivers recognise duplicates. */
function uncertain(cause: unknown): P2plError {
  const message = errorMessage(cause)
  return new P2plError({ code: 'UNCERTAIN', operation, cause, message })
}
