import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { isAlive } from '../src/daemon/processes.ts'
import { kernelEndsOrphans } from '../src/daemon/supervised-process.ts'
import { Kubo } from '../src/index.ts'
import { ask, gone, killAtOnce, managedDaemons, recordOf, standsStill } from './support/managed.ts'

describeWithKubo('a managed daemon', (binary) => {
  const { events, folder, newRepo, start, startElsewhere } = managedDaemons(binary)
  const eventsOf = (type: string): unknown[] => events.filter((event) => event.type === type)
  const warningsOf = (text: string): unknown[] =>
    events.filter((event) => event.type === 'warning' && event.message.includes(text))
  const crashed: unknown = expect.stringMatching(/ended by itself \(SIGKILL\) and is started again/)

  it('stop leaves no process and no socket; a second start has the same id', async () => {
    const repo = newRepo()
    const kubo = await start({ repo })
    const { id } = kubo.identity
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    await kubo.stop()
    expect([isAlive(pid), isAlive(supervisorPid)]).toEqual([false, false])
    await gone(guardPid)
    expect(() => kubo.identity).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
    await kubo.start()
    expect(kubo.identity.id).toBe(id)
  })

  it('a crash is told with its cause, and the daemon is started again', async () => {
    const repo = newRepo()
    const kubo = await start({ repo })
    const first = recordOf(repo).pid
    process.kill(first, 'SIGKILL')
    await until('it is back', () => eventsOf('back').length === 1)
    const lost = { type: 'lost', error: { code: 'UNREACHABLE', retryable: true } }
    // A look may notice it before its supervisor tells it.
    expect(events).toMatchObject(
      events.length === 2
        ? [{ ...lost, error: { ...lost.error, message: crashed } }, { type: 'back' }]
        : [lost, { type: 'warning', message: crashed }, { type: 'back' }]
    )
    expect(recordOf(repo).pid).not.toBe(first)
    expect(await ask(kubo, 'id')).toMatchObject({ ID: kubo.identity.id })
  })

  it('a crash that a look has noticed first is told with its cause, too', async () => {
    const repo = newRepo()
    await start({ repo })
    const { pid, supervisorPid } = recordOf(repo)
    process.kill(supervisorPid, 'SIGSTOP')
    await standsStill(supervisorPid)
    process.kill(pid, 'SIGKILL')
    await until('a look has noticed it', () => eventsOf('lost').length === 1)
    process.kill(supervisorPid, 'SIGCONT')
    await until('it is back', () => eventsOf('back').length === 1)
    expect(events).toMatchObject([
      { type: 'lost', error: { code: 'UNREACHABLE', operation: 'health' } },
      { type: 'warning', message: crashed },
      { type: 'back' }
    ])
  })

  it('a daemon that cannot be started again is tried for as long as it takes, and that is told', async () => {
    const repo = newRepo()
    const kubo = await start({ repo })
    const config = join(repo, 'p2pl', 'base-config.json')
    const good = readFileSync(config, 'utf8')
    writeFileSync(config, JSON.stringify({ ...JSON.parse(good), Datastore: { Spec: { type: 'nonsense' } } }))
    process.kill(recordOf(repo).pid, 'SIGKILL')
    await until(
      'it was tried twice',
      () => warningsOf('could not be started again and is tried again later').length >= 2
    )
    expect(eventsOf('lost')).toHaveLength(1)
    writeFileSync(config, good)
    await until('it is back', () => eventsOf('back').length === 1)
    expect(kubo.health.state).toBe('well')
  })

  it('a crash while it stops leaves nothing behind', async () => {
    const repo = newRepo()
    const kubo = await start({ repo })
    const { pid, supervisorPid } = recordOf(repo)
    process.kill(pid, 'SIGKILL')
    await until('the crash is noticed', () => eventsOf('lost').length === 1)
    await kubo.stop()
    expect(isAlive(supervisorPid)).toBe(false)
    const now = recordOf(repo)
    await gone(now.pid)
    await gone(now.supervisorPid)
  })

  it('a daemon that stands still is ended and started again, as often as it takes', async () => {
    const repo = newRepo()
    await start({ repo, hangTimeout: 1_500 }, 2_000)
    for (let round = 1; round <= 2; round++) {
      const { pid } = recordOf(repo)
      process.kill(pid, 'SIGSTOP')
      await until('it is ended', () => warningsOf('has not answered').length >= round)
      await until('it is back', () => events.at(-1)?.type === 'back')
      expect(isAlive(pid)).toBe(false)
      expect(recordOf(repo).pid).not.toBe(pid)
    }
    // A busy machine may answer a look late and seem lost in between.
    const told = events.map(({ type }) => type).filter((type) => type !== 'warning')
    expect(told).toEqual(told.map((_, i) => (i % 2 === 0 ? 'lost' : 'back')))
  })

  it('a supervisor that stands still for ever: stop ends it and the daemon all the same', async () => {
    const repo = newRepo()
    const kubo = await start({ repo, stopTimeout: 500 })
    const { pid, supervisorPid } = recordOf(repo)
    process.kill(supervisorPid, 'SIGSTOP')
    await standsStill(supervisorPid)
    await kubo.stop()
    expect([isAlive(pid), isAlive(supervisorPid)]).toEqual([false, false])
  })

  it('when only its supervisor is killed, the daemon is ended and started again', async () => {
    const repo = newRepo()
    await start({ repo })
    const { pid, supervisorPid } = recordOf(repo)
    process.kill(supervisorPid, 'SIGKILL')
    await gone(pid)
    await until('it is back', () => eventsOf('back').length === 1)
    expect(recordOf(repo).pid).not.toBe(pid)
  })

  it('an app that has nothing more to do ends, and its daemon with it', async () => {
    const repo = newRepo()
    const child = await startElsewhere(repo, { script: '' })
    const { pid, supervisorPid } = recordOf(repo)
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0)
    await gone(pid)
    await gone(supervisorPid)
  })

  it('kill -9 of the parent leaves no daemon', async () => {
    const repo = newRepo()
    const child = await startElsewhere(repo)
    const { pid, supervisorPid } = recordOf(repo)
    child.kill('SIGKILL')
    await gone(pid)
    await gone(supervisorPid)
  })

  it('kill -9 of parent and supervisor at once leaves no daemon: the guard ends it', async () => {
    const repo = newRepo()
    // Without setpriv, so that it is not the kernel.
    const child = await startElsewhere(repo, { env: { PATH: folder } })
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    await killAtOnce(child.pid, supervisorPid)
    await gone(pid)
    await gone(guardPid)
  })

  it('kill -9 of parent, supervisor and guard at once: the kernel ends the daemon', async (context) => {
    if ((await kernelEndsOrphans(process.env)).length === 0) context.skip('needs Linux with setpriv of util-linux')
    const repo = newRepo()
    const child = await startElsewhere(repo)
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    await killAtOnce(child.pid, supervisorPid, guardPid)
    await gone(pid)
  })

  it('kill -9 of all three where the kernel cannot be told: the next start ends the orphan', async () => {
    const repo = newRepo()
    const child = await startElsewhere(repo, { env: { PATH: folder } })
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    await killAtOnce(child.pid, supervisorPid, guardPid)
    await gone(supervisorPid)
    expect(isAlive(pid)).toBe(true)
    const kubo = await start({ repo })
    expect(isAlive(pid)).toBe(false)
    expect(kubo.identity.id).not.toBe('')
  })

  it('clears what a dead daemon left: api file and socket', async () => {
    const repo = newRepo()
    const kubo = await start({ repo })
    const api = readFileSync(join(repo, 'api'), 'utf8')
    await kubo.stop()
    const socket = api.trim().replace(/^\/unix/, '')
    // A socket that nobody listens on, as kill -9 leaves it.
    const child = spawn(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
    ])
    await new Promise((resolve) => child.on('close', resolve))
    expect(existsSync(socket)).toBe(true)
    writeFileSync(join(repo, 'api'), api)
    await kubo.start()
    expect(kubo.health.state).toBe('well')
  })

  it('a start that is aborted leaves nothing running', async () => {
    const repo = newRepo()
    const kubo = new Kubo({ daemon: { binary, repo } })
    await expect(kubo.start({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await start({ repo })
  })
})
