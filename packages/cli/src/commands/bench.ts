import { randomBytes } from 'node:crypto'
import { isP2plError, P2plError, type Peer, type Topic, text } from '@p2pl/core'
import { sleep } from '@p2pl/core/backend'
import { OtherProcess } from '../bench/other-process.ts'
import { answerBench, type Measured, ping } from '../bench/other.ts'
import type { CommandContext } from '../context.ts'
import { withPeer } from '../session.ts'

interface Options {
  readonly size: number
  readonly messages: number
  readonly other?: string | undefined
}

const chunkBytes = 1_048_576
const roundTrips = 50
/** Time limits in milliseconds, for one round trip and for all of them. */
const lostAfter = 500
const tripsEnd = 4_000
const messageBytes = 100
/** Messages that take longer than this many milliseconds count as lost. */
const patience = 10_000

export async function bench(context: CommandContext, { size, messages, other }: Options): Promise<void> {
  if (other !== undefined) {
    await answerBench(context, other)
    return
  }
  const { output, options, signal } = context
  const name = `p2pl-bench-${randomBytes(8).toString('hex')}`
  await withPeer(context, { need: 'nothing' }, async ({ peer, name: backend }) => {
    const second = await OtherProcess.start(name, options)
    try {
      const oneEngine = await connectTo(peer, second, signal)
      if (oneEngine) output.note('both processes use one daemon: no network lies between them')
      const content = await benchContent(context, peer, second, size * 1_000_000)
      const topic = peer.topic(name, { codec: text })
      if (!oneEngine) await topic.ready({ signal })
      const trip = await benchTrips(topic, signal)
      const received = await benchMessages(context, topic, second, messages)
      const result = {
        backend,
        content: { bytes: content.amount, ms: Math.round(content.ms), megabytesPerSecond: perSecond(content) / 1e6 },
        messages: {
          sent: messages,
          received: received.amount,
          ms: Math.round(received.ms),
          perSecond: Math.round(perSecond(received))
        },
        roundTrip: { medianMs: trip }
      }
      output.result(result, () => [
        `backend     ${backend}`,
        `content     ${result.content.megabytesPerSecond.toFixed(1)} MB/s (${size} MB from one process to the other)`,
        `messages    ${result.messages.perSecond} a second (${received.amount} of ${messages} arrived, ${messageBytes} bytes each)`,
        `round trip  ${trip === undefined ? 'no answer came' : `${trip.toFixed(1)} ms (median)`}`
      ])
    } finally {
      await second.stop()
    }
  })
}

/** Connects the two processes. Returns whether both are on the same engine. */
async function connectTo(peer: Peer, second: OtherProcess, signal: AbortSignal): Promise<boolean> {
  const self = await second.ask('self')
  const own = new Set(peer.network.self().map(({ id }) => id))
  const isOne = self.some(({ id }) => own.has(id))
  // If nothing outlives a process, two processes share nothing, and equal ids are a coincidence.
  if (isOne && peer.capabilities.blocks?.persistence !== 'none') return true
  await peer.network.connect(self, { signal }).catch((cause: unknown) => {
    throw isP2plError(cause, 'ABORTED')
      ? cause
      : new P2plError({
          code: 'UNSUPPORTED',
          operation: 'bench',
          cause,
          message: 'two processes do not reach each other over this backend: choose another one with --backend'
        })
  })
  return false
}

async function benchContent(
  { output, signal }: CommandContext,
  peer: Peer,
  second: OtherProcess,
  size: number
): Promise<Measured> {
  const show = output.progress('content', 'bytes')
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let left = size; left > 0; left -= chunkBytes) yield randomBytes(Math.min(chunkBytes, left))
  }
  const { cid } = await peer.data.add(source(), {
    signal,
    provide: false,
    onProgress: ({ bytes }) => show(bytes, size)
  })
  show()
  return await second.ask('fetch', String(cid), peer.network.self())
}

/** The median time from a message to its answer, in milliseconds; `undefined` if no answer came. */
async function benchTrips(topic: Topic<string>, signal: AbortSignal): Promise<number | undefined> {
  const subscription = topic.subscribe({ signal })
  await subscription.joined
  const waiting = new Map<string, () => void>()
  const reading = (async () => {
    for await (const item of subscription) if (item.type === 'message') waiting.get(item.payload)?.()
  })()
  const times: number[] = []
  const end = performance.now() + tripsEnd
  for (let i = 0; i < roundTrips && performance.now() < end; i++) {
    const message = `${ping} ${i}`
    const answered = new Promise<boolean>((resolve) => waiting.set(`re: ${message}`, () => resolve(true)))
    const begun = performance.now()
    await topic.publish(message, { recipients: 0, signal })
    // Some networks lose messages.
    const lost = sleep(lostAfter, { signal }).then(() => false)
    if (await Promise.race([answered, lost])) times.push(performance.now() - begun)
  }
  await subscription.close()
  await reading
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
}

async function benchMessages(
  { output, signal }: CommandContext,
  topic: Topic<string>,
  second: OtherProcess,
  count: number
): Promise<Measured> {
  const show = output.progress('messages')
  const payload = 'x'.repeat(messageBytes)
  let sent = 0
  const sending = Array.from({ length: count }, async () => {
    await topic.publish(payload, { recipients: 0, signal })
    show(++sent, count)
  })
  await Promise.all(sending)
  show()
  let last = await second.ask('counted')
  for (let heard = performance.now(); last.amount < count && performance.now() - heard < patience;) {
    await sleep(50, { signal })
    const now = await second.ask('counted')
    if (now.amount > last.amount) heard = performance.now()
    last = now
  }
  return last
}

function perSecond({ amount, ms }: Measured): number {
  return ms === 0 ? 0 : (amount * 1_000) / ms
}
