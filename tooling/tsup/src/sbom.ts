import { readFile } from 'node:fs/promises'
import type { Carried } from './carried.ts'
import { integrityOf } from './lockfile.ts'

export const sbomFile = 'sbom.cdx.json'

export interface Component {
  readonly type: 'library'
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly licenses?: readonly { readonly expression: string }[]
  /** The hash of the tarball from the lockfile. */
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[]
}

/** A CycloneDX document of the packages in the bundle. */
export interface Sbom {
  readonly bomFormat: 'CycloneDX'
  readonly specVersion: '1.6'
  readonly version: 1
  readonly metadata: { readonly component: Pick<Component, 'type' | 'name' | 'version'> }
  readonly components: readonly Component[]
}

/** The SBOM of the package in the current folder. The same input always gives the same bytes. */
export async function sbom(all: readonly Carried[]): Promise<string> {
  const { name, version } = JSON.parse(await readFile('package.json', 'utf8')) as { name: string; version: string }
  const components = await Promise.all(all.map(component))
  const document: Sbom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'library', name, version } },
    components: components.toSorted((a, b) => (a.purl < b.purl ? -1 : 1))
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

async function component({ name, version, license }: Carried): Promise<Component> {
  const integrity = await integrityOf(name, version)
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(license !== undefined && license !== '' && { licenses: [{ expression: license }] }),
    ...(integrity !== undefined && {
      hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity, 'base64').toString('hex') }]
    })
  }
}
