import { addAbortSignal } from 'node:stream'
import process from 'node:process'
import { text } from '@p2pl/core'
import { Slots } from '@p2pl/core/backend'
import type { CommandContext } from '../context.ts'
import { linesOf } from '../lines.ts'
import { withPeer } from '../session.ts'

interface Options {
  readonly recipients?: number | undefined
  readonly raw?: boolean | undefined
}

type Publish = (line: string, signal: AbortSignal) => Promise<{ readonly recipients?: number | undefined }>

/** Maximum number of messages under way at the same time. They share envelopes, and keep their order. */
const parallel = 256

export async function pub(
  context: CommandContext,
  name: string,
  message: string | undefined,
  options: Options
): Promise<void> {
  const { output, signal } = context
  if (message === undefined && process.stdin.isTTY) output.note('each line is a message; Ctrl-D ends')
  await withPeer(context, { need: 'nothing' }, async ({ peer }) => {
    const topic =
      options.raw === true ? peer.topic(name, { codec: text, mode: 'raw' }) : peer.topic(name, { codec: text })
    const publish: Publish = async (line, either) =>
      await topic.publish(line, { recipients: options.recipients, signal: either })
    if (message === undefined) {
      const messages = await publishLines(context, publish)
      output.result({ topic: name, messages }, () => `published ${messages} messages`)
    } else {
      const { recipients } = await publish(message, signal)
      output.result({ topic: name, messages: 1, recipients }, () =>
        recipients === undefined ? 'published' : `published, recipients: ${recipients}`
      )
    }
  })
}

/** Publishes each line of the input as a message. The first failure ends it. */
async function publishLines({ output, signal }: CommandContext, publish: Publish): Promise<number> {
  const slots = new Slots(parallel)
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const show = output.progress('pub')
  let messages = 0
  try {
    for await (const line of linesOf(addAbortSignal(either, process.stdin))) {
      const leave = await slots.enter(either)
      void publish(line, either)
        .then(
          () => show(++messages),
          (error: unknown) => failed.abort(error)
        )
        .finally(leave)
    }
    // All slots are free once all messages have been sent.
    await Promise.all(Array.from({ length: parallel }, async () => await slots.enter(either)))
    return messages
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error
  } finally {
    show()
  }
}
