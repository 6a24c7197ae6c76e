import type { CommandContext } from '../context.ts'
import { hinted, withPeer } from '../session.ts'

interface Options {
  readonly direct?: boolean | undefined
}

export async function pinAdd(context: CommandContext, cids: readonly string[], { direct }: Options): Promise<void> {
  const { output, signal } = context
  await withPeer(context, { need: 'store' }, async ({ peer }) => {
    for (const cid of cids) {
      const show = output.progress(`pin ${cid}`, 'bytes')
      const recursive = direct !== true
      await hinted(
        peer,
        async () =>
          await peer.data.pin(cid, { signal, recursive, onProgress: ({ bytes, total }) => show(bytes, total) })
      ).finally(() => show())
      await output.item({ cid, pinned: true, recursive }, () => `pinned ${cid}`)
    }
  })
}

export async function pinRemove(context: CommandContext, cids: readonly string[]): Promise<void> {
  const { output, signal } = context
  await withPeer(context, { need: 'store' }, async ({ peer }) => {
    for (const cid of cids) {
      await peer.data.unpin(cid, { signal })
      await output.item({ cid, pinned: false }, () => `unpinned ${cid}`)
    }
  })
}

export async function pinList(context: CommandContext): Promise<void> {
  const { output, signal } = context
  await withPeer(context, { need: 'store' }, async ({ peer }) => {
    for await (const { cid, recursive } of peer.data.pins({ signal }))
      await output.item({ cid: String(cid), recursive }, () => `${String(cid)}${recursive ? '' : '  direct'}`)
  })
}
