import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folder, openAt, put, storeAt } from './support/store.ts'

describe('a folder', () => {
  it('with files of something else is refused and left as it is', async () => {
    const dir = folder()
    writeFileSync(join(dir, 'letter.txt'), 'x')
    await expect(storeAt(dir)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `"${dir}" has other files, such as "letter.txt", and no store: give a folder that is empty, or not there yet`
    })
    expect(readdirSync(dir)).toEqual(['letter.txt'])
  })

  it('that is to have nothing but the store is looked at, too', async () => {
    const around = folder()
    mkdirSync(join(around, 'photos'))
    const options = { around }
    await expect(storeAt(join(around, 'store'), options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(readdirSync(around)).toEqual(['photos'])
  })

  it.each(['.DS_Store', 'lost+found'])('with nothing but %s is as good as empty', async (name) => {
    const dir = folder()
    writeFileSync(join(dir, name), '')
    await openAt(dir)
  })

  it('that has a store may have files beside it', async () => {
    const around = folder()
    const first = await storeAt(join(around, 'store'), { around })
    await put(first, 'a', 10)
    await first.close()
    writeFileSync(join(around, 'notes.txt'), 'x')
    writeFileSync(join(around, 'store', 'notes.txt'), 'x')
    await openAt(join(around, 'store'), { around })
  })
})
