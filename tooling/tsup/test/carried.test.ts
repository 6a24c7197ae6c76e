import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { audit } from '../src/carried/audit.ts'
import { builtList, differences } from '../src/carried/list.ts'
import { integrityOf } from '../src/lockfile.ts'

describe('the list of carried packages', () => {
  it('is read from the SBOMs of all bundles', () => {
    const packages = mkdtempSync(join(tmpdir(), 'p2pl-carried-'))
    const write = (outdir: string, components: object[]): void => {
      mkdirSync(join(packages, outdir), { recursive: true })
      writeFileSync(join(packages, outdir, 'sbom.cdx.json'), JSON.stringify({ components }))
    }
    const a = { name: '@a/a', version: '1.0.0', hashes: [{ alg: 'SHA-512', content: 'ab'.repeat(64) }] }
    write('one/dist', [a, { name: 'b', version: '2.0.0' }])
    write('one/dist/browser', [a])
    write('two/dist', [a])
    mkdirSync(join(packages, 'three'))
    expect(builtList(packages)).toEqual({ '@a/a@1.0.0': `${'ab'.repeat(16)} one two`, 'b@2.0.0': 'none one' })
    rmSync(packages, { recursive: true })
  })

  it('tells new, vanished and changed packages', () => {
    const listed = { 'a@1.0.0': 'aa one', 'b@1.0.0': 'bb one', 'c@1.0.0': 'cc one' }
    expect(differences(listed, listed)).toEqual([])
    expect(differences(listed, { 'a@1.0.1': 'aa one', 'b@1.0.0': 'b2 one', 'c@1.0.0': 'cc one two' })).toEqual([
      '- a@1.0.0 (aa one) is listed and not carried any more',
      '+ a@1.0.1 (aa one) is carried and not listed',
      '! b@1.0.0 is b2 one, and listed as bb one',
      '! c@1.0.0 is cc one two, and listed as cc one'
    ])
  })

  it('has the hashes of the lockfile', async () => {
    expect(await integrityOf('multiformats', '14.0.5')).toMatch(/^[\w+/]{86}==$/)
    expect(await integrityOf('multiformats', '0.0.1')).toBeUndefined()
  })
})

describe('the audit of carried packages', () => {
  const ids = ['@a/a@1.0.0', 'b@1.0.0', 'b@2.0.0']

  /** A registry that answers only one kind of request: what is known about these packages? */
  async function withRegistry<T>(answer: object, status: number, use: (url: string) => T): Promise<[T, unknown[]]> {
    const asked: unknown[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        if (request.method === 'POST') asked.push(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()))
        response.writeHead(request.method === 'POST' ? status : 404, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      return [await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), asked]
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
  const registry = (url: string): string[] => ['--registry', url]

  it('asks npm for exactly these versions and gives one line for each advisory', async () => {
    const url = 'https://example.org/advisory'
    const advisory = { id: 1, url, title: 'it leaks', severity: 'high', vulnerable_versions: '<2', cwe: [], cvss: {} }
    const [lines, asked] = await withRegistry({ b: [advisory] }, 200, async (at) => await audit(ids, registry(at)))
    expect(asked).toEqual([{ '@a/a': ['1.0.0'], b: ['1.0.0', '2.0.0'] }])
    expect(lines).toEqual(['b <2: high, it leaks (https://example.org/advisory)'])
  })

  it('finds nothing where nothing is known', async () => {
    expect((await withRegistry({}, 200, async (at) => await audit(ids, registry(at))))[0]).toEqual([])
  })

  it('says that it did not happen where the registry does not answer', async () => {
    expect((await withRegistry({}, 405, async (at) => await audit(ids, registry(at))))[0]).toBeUndefined()
    expect(await audit(ids, registry('http://127.0.0.1:1'))).toBeUndefined()
  })
})
