import { isP2plError, type PeerInfo } from '@p2pl/core'
import { type CommandContext, patienceOf } from '../context.ts'
import { RunningPeers } from '../running.ts'
import { withPeer } from '../session.ts'

/** How long to wait for a first peer on a topic, in milliseconds, unless --timeout is given. */
const patience = 5_000

/** The topics that processes of this user are on; or, for named topics, the peers on them. */
export async function topics(context: CommandContext, names: readonly string[]): Promise<void> {
  if (names.length === 0) await listOwn(context)
  else
    await withPeer(context, { need: 'nothing' }, async ({ peer }) => {
      await Promise.all(
        names.map(async (name) => {
          const { options, signal } = context
          const topic = peer.topic(name)
          const subscription = topic.subscribe({ signal })
          await subscription.joined
          await topic.ready({ signal, timeout: patienceOf(options, patience) }).catch((error: unknown) => {
            if (!isP2plError(error, 'TIMEOUT')) throw error
          })
          const peers = await topic.peers({ signal })
          await context.output.item({ topic: name, peers }, () => lineOf(name, peers))
          await subscription.close()
        })
      )
    })
}

async function listOwn({ options, output }: CommandContext): Promise<void> {
  const found = (await new RunningPeers(options.dir).list()).flatMap(({ pid, command, topics: names }) =>
    names.map((topic) => ({ topic, pid, command }))
  )
  for (const one of found) await output.item(one, () => `${one.topic}  process ${one.pid} (p2pl ${one.command})`)
  if (found.length === 0) output.note('none of your terminals is on a topic: "p2pl sub <topic>" joins one')
}

function lineOf(name: string, peers: readonly PeerInfo[]): string {
  return `${name}  ${peers.length} peers${peers.map(({ network, id }) => `\n  ${network}  ${id}`).join('')}`
}
