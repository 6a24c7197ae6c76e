import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { P2plError } from '@p2pl/core'
import type { UnixFS } from '@p2pl/unixfs'
import type { CommandContext } from '../context.ts'
import { hinted, withPeer } from '../session.ts'

interface Options {
  readonly output?: string | undefined
  readonly force?: boolean | undefined
}

export async function get(context: CommandContext, path: string, options: Options): Promise<void> {
  await checkTarget(options)
  await withPeer(context, { need: 'cache' }, async ({ peer }) => {
    const { unixfs } = await import('@p2pl/unixfs')
    const folders = unixfs(peer)
    await hinted(peer, async () => {
      const show = context.output.progress(`looking for ${path}`)
      show(0)
      const found = await folders.stat(path, { signal: context.signal }).finally(() => show())
      if (found.kind === 'symlink')
        throw wrong(`${path} is a symlink to ${JSON.stringify(found.target)}: get what it leads to`)
      if (found.kind === 'directory') await getFolder(context, folders, path, options)
      else if (options.output === undefined) await print(context, folders, path, found.size)
      else await getFile(context, folders, path, options.output, found.size, options.force === true)
    })
  })
}

async function print(
  { output, signal }: CommandContext,
  folders: UnixFS,
  path: string,
  total: number | undefined
): Promise<void> {
  // A terminal shows the content itself, so it gets no progress line.
  const show = process.stdout.isTTY ? () => undefined : output.progress(`get ${shortNameOf(path)}`, 'bytes')
  try {
    for await (const chunk of folders.get(path, { signal, onProgress: ({ bytes }) => show(bytes, total) }))
      await output.bytes(chunk)
  } finally {
    show()
  }
}

async function getFile(
  { output, signal }: CommandContext,
  folders: UnixFS,
  path: string,
  target: string,
  total: number | undefined,
  force: boolean
): Promise<void> {
  const there = await stat(target).catch(() => undefined)
  const file = there?.isDirectory() === true ? join(target, nameOf(path)) : target
  await checkPlace(file, force)
  // The temporary name prevents a partial file from being taken for the whole. It is unique, because another file, a link
  // or another get may use `<file>.part`.
  const part = `${file}.${randomBytes(4).toString('hex')}.part`
  const show = output.progress(`get ${shortNameOf(path)}`, 'bytes')
  let bytes = 0
  try {
    await pipeline(
      folders.get(path, { signal, onProgress: (progress) => show((bytes = progress.bytes), total) }),
      createWriteStream(part, { flags: 'wx' })
    )
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  } finally {
    show()
  }
  output.result({ file, bytes }, () => file)
}

async function getFolder(
  { output, signal }: CommandContext,
  folders: UnixFS,
  path: string,
  options: Options
): Promise<void> {
  if (options.output === undefined)
    throw wrong(
      `${path} is a folder: say where it goes, p2pl get ${path} -o ${nameOf(path)}; or list it with p2pl ls ${path}`
    )
  const { toFolder } = await import('@p2pl/unixfs/node')
  const folder = options.output
  const show = output.progress(`get ${shortNameOf(path)}`, 'bytes')
  const result = await toFolder(folders, path, folder, {
    signal,
    onProgress: ({ bytes, total }) => show(bytes, total)
  }).finally(() => show())
  output.result({ folder, ...result }, () => `${folder}: ${result.files} files, ${result.bytes} bytes`)
}

function nameOf(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? 'content'
}

/** A wrong target is reported before anything is fetched. */
async function checkTarget({ output: target, force }: Options): Promise<void> {
  if (target === undefined) return
  const parent = dirname(resolve(target))
  if ((await stat(parent).catch(() => undefined))?.isDirectory() !== true)
    throw wrong(`there is no folder ${parent}: make it first, or choose another one`)
  await checkPlace(target, force === true)
}

async function checkPlace(path: string, force: boolean): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  if (there === undefined || there.isDirectory()) return
  if (!there.isFile()) throw wrong(`${path} is a device or a pipe: leave out -o, and write p2pl get … > ${path}`)
  if (!force) throw wrong(`${path} is there already: choose another name, or replace it with --force`)
}

/** A CID would leave no room for anything else on its line. */
function shortNameOf(path: string): string {
  const name = nameOf(path)
  return name.length <= 30 ? name : `…${name.slice(-10)}`
}

function wrong(message: string): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', message })
}
