import type { Gap, Message, Peer, RawMessage, Subscription } from '@p2pl/core'
import type { CommandContext } from '../context.ts'
import { causes } from '../gaps.ts'
import { sayWhere, withPeer } from '../session.ts'
import type { Output } from '../tools/index.ts'

interface Options {
  readonly count?: number | undefined
  readonly raw?: boolean | undefined
  readonly sender?: boolean | undefined
}

export async function sub(context: CommandContext, topics: readonly string[], options: Options): Promise<void> {
  const { output } = context
  await withPeer(context, { need: 'nothing', stays: { command: 'sub', topics } }, async ({ peer }) => {
    const enough = new AbortController()
    const signal = AbortSignal.any([context.signal, enough.signal])
    const subscriptions = topics.map((name) => subscribe(peer, name, options.raw === true, signal))
    await Promise.all(subscriptions.map(async ({ joined }) => await joined))
    sayWhere(output, 'listening', peer)
    let left = options.count ?? Infinity
    const follow = async (items: AsyncIterable<Message | RawMessage | Gap>): Promise<void> => {
      for await (const item of items) {
        if (item.type === 'gap') output.note(gapOf(item), { gap: item })
        else if (left-- > 0) await show(output, item, options.sender === true)
        if (left <= 0) enough.abort()
      }
    }
    await Promise.all(subscriptions.map(follow))
  })
}

function subscribe(
  peer: Peer,
  name: string,
  raw: boolean,
  signal: AbortSignal
): Subscription | Subscription<RawMessage> {
  return raw ? peer.topic(name, { mode: 'raw' }).subscribe({ signal }) : peer.topic(name).subscribe({ signal })
}

async function show(
  output: Output,
  { topic, payload, ...rest }: Message | RawMessage,
  withSender: boolean
): Promise<void> {
  const text = textOf(payload)
  const content = text === undefined ? { base64: Buffer.from(payload).toString('base64') } : { payload: text }
  await output.item({ topic, ...content, ...rest }, () => {
    const line = text ?? `${payload.length} bytes that are no text (--json shows them)`
    // A line break must not start a line that looks like another sender's.
    return withSender ? `${rest.sender ?? 'somebody'}: ${line.replaceAll('\n', '\n  ')}` : line
  })
}

function textOf(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
  } catch {
    return undefined
  }
}

function gapOf({ topic, reason, count }: Gap): string {
  const why = causes[reason] ?? reason
  return count === undefined
    ? `messages of ${topic} may be missing: ${why}`
    : `${count} messages of ${topic} are missing: ${why}`
}
