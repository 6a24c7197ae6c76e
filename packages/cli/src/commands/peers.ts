import { firstConnections } from '../connections.ts'
import type { CommandContext } from '../context.ts'
import { withPeer } from '../session.ts'

export async function peers(context: CommandContext): Promise<void> {
  const { output } = context
  await withPeer(context, { need: 'nothing' }, async ({ peer }) => {
    const self = peer.network.self()
    const connections = await firstConnections(peer, context)
    output.result({ id: peer.id, self, connections }, () => [
      `this peer  ${peer.id}`,
      ...self.flatMap(({ network, addresses }) => addresses.map((address) => `  ${network}  ${address}`)),
      `connected  ${connections.length}`,
      ...connections.map(({ network, id, addresses }) => `  ${network}  ${id}  ${addresses.join(' ')}`)
    ])
  })
}
