import { createIdentity } from '@p2pl/core'
import { seededBytes } from '@p2pl/tooling-vitest'
import { bundle, describeInChromium, openSite, type Site } from '@p2pl/tooling-vitest/browser'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSecret, open, seal } from '../../src/index.ts'

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

describeInChromium('sealed content in a page', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(await bundle(new URL('page.ts', import.meta.url)))
  })
  afterAll(async () => {
    await site.close()
  })

  it('goes both ways between a page and Node', async () => {
    const page = await site.open()
    const [identity, secret, content] = [await createIdentity(), createSecret(), seededBytes(150_000, 1)]
    const id = await page.call<string>('identify')

    const forPage = await bytesOf(seal(content, { to: [id] }))
    expect(Buffer.compare(await page.call<Uint8Array>('open', new Uint8Array(forPage)), content)).toBe(0)
    const forNode = await page.call<Uint8Array>('seal', content, [identity.id])
    expect((await bytesOf(open(forNode, { identity }))).equals(content)).toBe(true)

    const forBoth = await page.call<Uint8Array>('sealWithSecret', content, secret)
    expect((await bytesOf(open(forBoth, { secret }))).equals(content)).toBe(true)
    expect(Buffer.compare(await page.call<Uint8Array>('openWithSecret', forBoth, secret), content)).toBe(0)
    expect(page.problems).toEqual([])
  })
})
