import { describe, expect, it } from 'vitest'
import { removeStore, whenFree } from '../src/index.ts'
import { folder, put, storeAt } from './support/store.ts'

// Browsers have tests of their own, in the packages that run there.
describe('whenFree', () => {
  it('resolves at once in Node, where a second process is told LOCKED', async () => {
    const dir = folder()
    const store = await storeAt(dir)
    await whenFree(dir)
    await expect(storeAt(dir)).rejects.toMatchObject({ code: 'LOCKED' })
    await store.close()
  })

  it('refuses what is no name, no function and no signal', async () => {
    const code = 'INVALID_ARGUMENT'
    await expect(whenFree('')).rejects.toMatchObject({ code })
    await expect(whenFree(undefined as unknown as string)).rejects.toMatchObject({ code })
    await expect(whenFree('a', { onWait: 1 as unknown as () => void })).rejects.toMatchObject({ code })
    await expect(whenFree('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

it('removeStore leaves nothing of a store, and is no error where there is none', async () => {
  const dir = folder()
  const store = await storeAt(dir)
  await put(store, 'a', 10)
  await store.close()
  await removeStore(dir)
  const again = await storeAt(dir)
  expect(await again.get(new TextEncoder().encode('a'))).toBeUndefined()
  await again.close()
  await removeStore(dir)
  await removeStore(dir)
})
