import { unixfs } from '@p2pl/unixfs'
import type { CommandContext } from '../context.ts'
import { hinted, withPeer } from '../session.ts'
import { oneLine } from '../tools/printable.ts'

export async function ls(context: CommandContext, path: string): Promise<void> {
  const { output, signal } = context
  await withPeer(context, { need: 'cache' }, async ({ peer }) => {
    await hinted(peer, async () => {
      for await (const { name, cid, kind, size, blockBytes } of unixfs(peer).ls(path, { signal })) {
        const entry = { name, cid: String(cid), kind, size, blockBytes }
        await output.item(
          entry,
          () => `${entry.cid}  ${String(size ?? '-').padStart(12)}  ${oneLine(name)}${kind === 'directory' ? '/' : ''}`
        )
      }
    })
  })
}
