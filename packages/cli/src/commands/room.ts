import { addAbortSignal } from 'node:stream'
import { userInfo } from 'node:os'
import process from 'node:process'
import { text } from '@p2pl/core'
import { sleep } from '@p2pl/core/backend'
import { createSecret, joinRoom, type Room, type RoomEvent } from '@p2pl/room'
import { type CommandContext, patienceOf } from '../context.ts'
import { causes } from '../gaps.ts'
import { linesOf } from '../lines.ts'
import { addressesOf, withPeer } from '../session.ts'
import { oneLine } from '../tools/printable.ts'

interface Options {
  readonly name?: string | undefined
  readonly secret?: string | undefined
  readonly private?: boolean | undefined
  readonly history: number
}

/** Maximum bytes that wait for the reader of the output. */
const maxWaiting = 8 * 1_048_576
/** How long input from a pipe waits for a first peer, in milliseconds, unless --timeout is given. A message in an empty room reaches nobody. */
const patience = 10_000

export async function room(context: CommandContext, topic: string, options: Options): Promise<void> {
  const { output, signal } = context
  const secret = options.secret ?? (options.private === true ? createSecret() : undefined)
  const name = options.name ?? ownName()
  await withPeer(context, { need: 'nothing', stays: { command: 'room', topics: [topic] } }, async ({ peer }) => {
    const joined = await joinRoom(peer, topic, { name, secret, history: options.history, codec: text, signal })
    try {
      listen(context, joined)
      const [address = '…'] = addressesOf(peer)
      const command = `p2pl room ${quoted(topic)}${secret === undefined ? '' : ` --secret ${quoted(secret)}`}`
      output.note(`others join with\n  ${command}\nand from another machine with\n  ${command} --connect ${address}`, {
        secret,
        address
      })
      await say(joined, context)
    } catch (error) {
      // Ctrl-C is the usual way to leave.
      if (!signal.aborted) throw error
    } finally {
      await joined.leave()
    }
  })
}

/** Sends each line of the input. */
async function say(joined: Room<string>, { options, signal }: CommandContext): Promise<void> {
  const timeout = patienceOf(options, patience)
  const isPipe = !process.stdin.isTTY
  if (isPipe) await firstPeer(joined, signal, timeout)
  for await (const line of linesOf(addAbortSignal(signal, process.stdin))) await joined.send(line, { signal })
  if (isPipe) await heard(joined, signal, timeout)
}

function listen({ output }: CommandContext, joined: Room<string>): void {
  const nameOf = (id: string): string => oneLine(joined.peers.get(id)?.name ?? `…${id.slice(-6)}`)
  let leftOut = 0
  const show = (value: unknown, line: string): void => {
    // If the reader is too slow, messages of others must not fill the memory.
    if (process.stdout.writableLength > maxWaiting) {
      leftOut++
      return
    }
    if (leftOut > 0) output.note(`${leftOut} lines were left out: the reader of this output is too slow`, { leftOut })
    leftOut = 0
    output.result(value, () => line)
  }
  joined.onEvent((event) => {
    if (event.type === 'gap')
      output.note(`messages may be missing: ${causes[event.reason] ?? event.reason}`, { gap: event })
    const line = lineOf(event, nameOf)
    if (line !== undefined) show(viewOf(event), line)
  })
  joined.onMessage(({ payload, sender, id, history }) => {
    const name = joined.peers.get(sender)?.name
    const line = `${nameOf(sender)}: ${payload.replaceAll('\n', '\n  ')}`
    show({ type: 'message', sender, name, payload, id, history }, line)
  })
}

function lineOf(event: RoomEvent, nameOf: (id: string) => string): string | undefined {
  if (event.type === 'join') return `* ${nameOf(event.peer.id)} is here`
  if (event.type === 'leave') return `* ${oneLine(event.peer.name ?? '')} has left`
  return event.type === 'warning' ? `* ${oneLine(event.error.message)}` : undefined
}

function viewOf(event: RoomEvent): unknown {
  return event.type === 'warning' ? { type: event.type, code: event.error.code, message: event.error.message } : event
}

/** Waits until another peer is here. */
async function firstPeer(joined: Room<string>, signal: AbortSignal, timeout: number): Promise<void> {
  const somebody = new AbortController()
  const stop = joined.onEvent(({ type }) => {
    if (type === 'join') somebody.abort()
  })
  if (joined.peers.size > 0) somebody.abort()
  await sleep(timeout, { signal: AbortSignal.any([signal, somebody.signal]) }).catch(() => undefined)
  stop()
  await heard(joined, signal, timeout)
}

/**
 * Waits until some of the peers here know this peer and have received its messages so far. Nobody answers such requests, so
 * the reply is a refusal, which proves it just as well.
 */
async function heard(joined: Room<string>, signal: AbortSignal, timeout: number): Promise<void> {
  const channel = joined.channel('heard')
  await Promise.allSettled(
    [...joined.peers.keys()]
      .slice(0, 8)
      .map(async (id) => await channel.request(id, null, { signal, timeout: timeout / 2 }))
  )
}

function ownName(): string {
  try {
    return userInfo().username.slice(0, 64)
  } catch {
    return 'somebody'
  }
}

/** Quotes a word for a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
