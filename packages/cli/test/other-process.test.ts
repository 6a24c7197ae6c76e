import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { OtherProcess } from '../src/bench/other-process.ts'

const program = process.argv[1] ?? ''
afterEach(() => {
  process.argv[1] = program
})

it('a second process of a bench that is killed is told, whatever it is asked then', async () => {
  process.argv[1] = fileURLToPath(new URL('other.process.ts', import.meta.url))
  const other = await OtherProcess.start('topic', { dir: '.' })
  const failed = {
    code: 'ENGINE',
    message: expect.stringContaining('the second process of the bench failed') as string
  }
  await expect(other.ask('self')).rejects.toMatchObject(failed)
  await expect(other.ask('counted')).rejects.toMatchObject(failed)
  await other.stop()
})
