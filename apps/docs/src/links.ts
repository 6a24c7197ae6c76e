import { posix } from 'node:path'
import { documents, repository } from './repository.ts'

const pages = new Map(
  Object.entries(documents).flatMap(([folder, all]) =>
    all.map(({ file, name }) => [file, `/${folder}/${name}`] as const)
  )
)

/**
 * Documents link to each other by paths. On the site these become links into the repository; {@link siteLink} finds the
 * pages.
 */
export function absoluteLinks(markdown: string, file: string): string {
  return markdown.replaceAll(/\]\(([^)\s]+)\)/g, (whole, target: string) => {
    if (/^(?:[a-z]+:|#|\/)/.test(target)) return whole
    const [path = '', anchor] = target.split('#')
    const full = posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/$/, '')
    return `](${repository}/tree/main/${full}${anchor === undefined ? '' : `#${anchor}`})`
  })
}

/** The page of the site that shows the target of a link into the repository. Any other link is returned unchanged. */
export function siteLink(href: string): string {
  const [whole = '', anchor = ''] = href.split(/(?=#)/)
  const [, path = ''] = new RegExp(`^${repository}/(?:tree|blob)/main/(.+?)/?$`).exec(whole) ?? []
  const page = pages.get(path) ?? pages.get(`${path}/README.md`)
  // GitHub's anchor for the start of a README.
  return page === undefined ? href : page + (anchor === '#readme' ? '' : anchor)
}
