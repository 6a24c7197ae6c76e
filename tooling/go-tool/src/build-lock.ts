import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const heartbeat = 5_000
const abandonedAfter = 60_000

/**
 * Runs `body` while no other process on this machine holds the folder `path`. A dead holder is recognised by its
 * process id and by a time stamp that no longer changes. The lock only saves work: the result of `body` must be right
 * without it too.
 */
export async function withBuildLock<T>(path: string, onWait: () => void, body: () => Promise<T>): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      await mkdir(path)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isAbandoned(path)) {
      const aside = `${path}.${process.pid}.${Date.now()}`
      await rename(path, aside).catch(() => {})
      await rm(aside, { recursive: true, force: true })
      continue
    }
    if (waits % 20 === 0) onWait()
    await sleep(500)
  }
  await writeFile(`${path}/pid`, String(process.pid))
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), heartbeat)
  beat.unref()
  try {
    return await body()
  } finally {
    clearInterval(beat)
    await rm(path, { recursive: true, force: true })
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > abandonedAfter) return true
    const pid = Number(await readFile(`${path}/pid`, 'utf8'))
    // The holder writes its id right after it made the folder.
    if (!Number.isInteger(pid) || pid <= 0) return false
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
