import type { CommandContext } from '../context.ts'
import { parseAddress } from '../meet.ts'
import { withPeer } from '../session.ts'

export async function connect(context: CommandContext, addresses: readonly string[]): Promise<void> {
  const { output, signal } = context
  const targets = addresses.map((text) => ({ text, address: parseAddress(text) }))
  await withPeer(context, { need: 'nothing' }, async ({ peer }) => {
    for (const { text, address } of targets) {
      const begun = performance.now()
      await peer.network.connect(address, { signal })
      const ms = Math.round(performance.now() - begun)
      await output.item({ address: text, connected: true, ms }, () => `connected to ${text} in ${ms} ms`)
    }
  })
}
