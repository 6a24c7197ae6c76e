import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPeer, type Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type UnixFS, unixfs } from '../src/index.ts'
import { fromFolder, toFolder } from '../src/node.ts'
import { all, failure, text } from './support.ts'

let peer: Peer
let folders: UnixFS
let root: string
let place: string

beforeAll(async () => {
  peer = await createPeer({ backend: memory() })
  folders = unixfs(peer)
  root = (await folders.addDirectory([{ path: 'a', content: text('x') }])).cid.toString()
  place = await mkdtemp(join(tmpdir(), 'p2pl-mistakes-'))
})
afterAll(async () => {
  await peer.stop()
  await rm(place, { recursive: true })
})

// oxlint-disable-next-line typescript/no-explicit-any -- arguments that no type checker has seen
const untyped = (call: unknown): any => call

const wrong: Readonly<Record<string, [call: () => unknown, part: string]>> = {
  'unixfs: no peer': [() => untyped(unixfs)(), 'give it a peer'],
  'unixfs: a backend': [() => untyped(unixfs)(memory()), 'give it a peer'],
  'unixfs: a peer that was not awaited': [() => untyped(unixfs)(createPeer({ backend: memory() })), 'awaited'],
  'addDirectory: a mistyped option': [() => untyped(folders).addDirectory([], { pinn: true }), 'no option "pinn"'],
  'addDirectory: text as pin': [() => untyped(folders).addDirectory([], { pin: 'no' }), 'true or false'],
  'addDirectory: no function for progress': [() => untyped(folders).addDirectory([], { onProgress: 1 }), 'a function'],
  'addDirectory: a mistyped content': [
    () => untyped(folders).addDirectory([{ path: 'a', contents: text('x') }]),
    'no option "contents"'
  ],
  'addDirectory: paths alone': [() => untyped(folders).addDirectory(['a.txt']), 'must be an object'],
  'ls: a mistyped option': [() => all(untyped(folders).ls(root, { locl: true })), 'no option "locl"'],
  'walk: a mistyped option': [() => all(untyped(folders).walk(root, { locl: true })), 'no option "locl"'],
  'stat: a mistyped option': [() => untyped(folders).stat(root, { locl: true }), 'no option "locl"'],
  'resolve: a mistyped option': [() => untyped(folders).resolve(root, { locl: true }), 'no option "locl"'],
  'get: a mistyped option': [() => all(untyped(folders).get(`${root}/a`, { lenght: 1 })), 'no option "lenght"'],
  'fromFolder: no path': [() => all(untyped(fromFolder)()), 'not undefined'],
  'fromFolder: a mistyped option': [() => all(untyped(fromFolder)(place, { hiden: true })), 'no option "hiden"'],
  'fromFolder: text as hidden': [() => all(untyped(fromFolder)(place, { hidden: 'no' })), 'true or false'],
  'fromFolder: a mistyped word': [() => all(untyped(fromFolder)(place, { others: 'ignore' })), '"error" or "skip"'],
  'toFolder: a peer': [() => untyped(toFolder)(peer, root, place), 'toFolder(unixfs(peer), cid, path)'],
  'toFolder: no path': [() => untyped(toFolder)(folders, root), 'not undefined'],
  'toFolder: a path with NUL': [() => untyped(toFolder)(folders, root, 'a\0b'), 'non-empty text'],
  'toFolder: a mistyped option': [() => untyped(toFolder)(folders, root, place, { symlink: 'skip' }), '"symlink"'],
  'toFolder: a mistyped word': [
    () => untyped(toFolder)(folders, root, place, { symlinks: 'make' }),
    '"error" or "skip"'
  ]
}

it.each(Object.entries(wrong))('%s is refused, and the message names it', async (_, [call, part]) => {
  const { code, message } = await failure((async () => await call())())
  expect(code).toBe('INVALID_ARGUMENT')
  expect(message).toContain(part)
})
