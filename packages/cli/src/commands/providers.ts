import { P2plError } from '@p2pl/core'
import type { CommandContext } from '../context.ts'
import { withPeer } from '../session.ts'

interface Options {
  readonly limit: number
}

export async function providers(context: CommandContext, cid: string, { limit }: Options): Promise<void> {
  const { output, signal } = context
  await withPeer(context, { need: 'cache' }, async ({ peer }) => {
    let found = 0
    for await (const provider of peer.data.findProviders(cid, { signal, limit })) {
      found++
      await output.item(provider, () => `${provider.network}  ${provider.id}  ${provider.addresses.join(' ')}`)
    }
    if (found === 0)
      throw new P2plError({
        code: 'NOT_FOUND',
        message: `no provider of ${cid} was found: a peer that has it puts its record out with "p2pl provide ${cid}"`
      })
  })
}
