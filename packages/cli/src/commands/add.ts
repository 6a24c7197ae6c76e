import { createReadStream } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import process from 'node:process'
import { isP2plError, P2plError } from '@p2pl/core'
import { withFields } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { CommandContext } from '../context.ts'
import { serve, type Session, withPeer } from '../session.ts'
import { oneLine } from '../tools/printable.ts'

interface Options {
  readonly provide?: boolean | undefined
  readonly hidden?: boolean | undefined
  readonly skipOthers?: boolean | undefined
  readonly stay?: boolean | undefined
}

interface Added {
  readonly cid: CID
  readonly kind: 'file' | 'directory'
  readonly size: number
}

export async function add(context: CommandContext, paths: readonly string[], options: Options): Promise<void> {
  const { output } = context
  if (paths.length === 0 && process.stdin.isTTY)
    throw new P2plError({
      code: 'INVALID_ARGUMENT',
      message: 'name files or folders to add, or pipe content into it: … | p2pl add'
    })
  const sources = paths.length === 0 ? ['-'] : paths
  // A wrong path is reported before anything is added.
  const folders = new Set<string>()
  for (const path of sources) if (path !== '-' && (await stat(path)).isDirectory()) folders.add(path)
  const stays = options.stay === true ? { command: 'add', topics: [] } : undefined
  await withPeer(context, { need: 'store', stays }, async (session) => {
    for (const path of sources) {
      const added = folders.has(path)
        ? await addFolder(context, session, path, options)
        : await addFile(context, session, path, options)
      const name = path === '-' ? '-' : basename(resolve(path))
      await output.item({ ...added, cid: String(added.cid), name }, () => `${String(added.cid)}  ${oneLine(name)}`)
    }
    if (options.stay === true) await serve(context, session.peer)
  })
}

async function addFile(
  { output, signal }: CommandContext,
  { peer }: Session,
  path: string,
  options: Options
): Promise<Added> {
  const total = path === '-' ? undefined : (await stat(path)).size
  const show = output.progress(path === '-' ? 'add' : `add ${basename(path)}`, 'bytes')
  try {
    const source = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1_048_576 })
    const { cid, size } = await peer.data.add(source, {
      signal,
      // A process that ends at once has no time to provide in the background.
      ...(options.provide === true ? { until: 'provided' } : { provide: false }),
      onProgress: ({ bytes }) => show(bytes, total)
    })
    return { cid, size, kind: 'file' }
  } finally {
    show()
  }
}

async function addFolder(
  { output, signal }: CommandContext,
  { peer }: Session,
  path: string,
  options: Options
): Promise<Added> {
  const [{ unixfs }, { fromFolder }] = await Promise.all([import('@p2pl/unixfs'), import('@p2pl/unixfs/node')])
  const hidden = options.hidden === true
  const show = output.progress(`add ${basename(resolve(path))}`, 'bytes')
  try {
    const total = await bytesIn(path, hidden)
    const others = options.skipOthers === true ? 'skip' : 'error'
    const { cid, size } = await unixfs(peer)
      .addDirectory(fromFolder(path, { hidden, others }), { signal, onProgress: ({ bytes }) => show(bytes, total) })
      .catch((error: unknown) => {
        if (!isP2plError(error, 'UNSUPPORTED')) throw error
        throw withFields(error, { message: `${error.message}; here that is --skip-others` })
      })
    show()
    if (options.provide === true) await peer.data.provide(cid, { signal })
    return { cid, size, kind: 'directory' }
  } finally {
    show()
  }
}

/** Bytes of the files below a folder that `fromFolder` reads. */
async function bytesIn(path: string, hidden: boolean): Promise<number> {
  let bytes = 0
  for await (const entry of await opendir(path, { recursive: true })) {
    const inside = join(entry.parentPath, entry.name)
    if (!entry.isFile() || (!hidden && /(?:^|[/\\])\./.test(inside.slice(path.length)))) continue
    bytes += (await stat(inside)).size
  }
  return bytes
}
