import { readFileSync } from 'node:fs'
import { ownFile, writeWhole } from './files.ts'

/** What we know about the daemon of a repo, stored in the repo. */
export interface DaemonRecord {
  port: number
  pid?: number | undefined
  supervisorPid?: number | undefined
  guardPid?: number | undefined
}

export function readRecord(repo: string): DaemonRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(ownFile(repo, 'daemon.json'), 'utf8')) as DaemonRecord
    return Number.isInteger(record.port) ? record : undefined
  } catch {
    return undefined
  }
}

export async function writeRecord(repo: string, record: DaemonRecord): Promise<void> {
  await writeWhole(ownFile(repo, 'daemon.json'), JSON.stringify(record))
}
