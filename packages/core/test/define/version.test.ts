import { describe, expect, it } from 'vitest'
import { aroundCalls, type Backend, compose, split } from '../../src/backend.ts'
import { createPeer } from '../../src/index.ts'
import { portKey, portVersion } from '../../src/port/version.ts'
import { defined } from './support.ts'

/** A backend of an adapter whose own copy of core has another version of the port. */
const ofVersion = (version: number): Backend => Object.assign(defined(), { [portKey]: version })

describe('the version of the port', () => {
  it.each([
    [portVersion - 1, 'install a newer release of its adapter'],
    [portVersion + 1, 'install a newer release of @p2pl/core']
  ])('a backend of version %i is refused with what to do', async (version, fix) => {
    const backend = ofVersion(version)
    const message = `the backend "test" was made for version ${version} of the port, and this @p2pl/core has version ${portVersion}: ${fix}`
    const refused = expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message) as string
    })
    await expect(createPeer({ backend })).rejects.toEqual(refused)
    await expect(createPeer({ messages: defined(), data: backend })).rejects.toEqual(refused)
    expect(() => compose(backend)).toThrow(message)
    expect(() => aroundCalls({})(backend)).toThrow(message)
  })

  it('a backend has it, and a layer hands it through', () => {
    for (const backend of [defined(), aroundCalls({})(defined())])
      expect((backend as { [portKey]?: number })[portKey]).toBe(portVersion)
  })

  it('a backend that was made by hand needs none', async () => {
    const peer = await createPeer({ backend: Object.assign(defined(), { [portKey]: undefined }) })
    await peer.stop()
    const half = split({ messages: defined(), data: defined() })
    expect(portKey in half).toBe(false)
  })
})
