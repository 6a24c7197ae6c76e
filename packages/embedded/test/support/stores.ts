import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openIn, peerOn, type Peer, type Tables } from './peer.ts'

export type { Peer } from './peer.ts'

export function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'p2pl-embedded-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Closed at the end of the test. */
export async function open(dir: string | undefined): Promise<Tables> {
  const opened = await openIn(dir)
  onTestFinished(() => opened.close())
  return opened
}

export async function peer(dir?: string): Promise<Peer> {
  return await peerOn(await open(dir))
}
