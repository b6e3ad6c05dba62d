// What a configuration says about files that are served without an app, as values (uWSGI: the options `static-*`).
import type { Expiry } from '../files/file-answer.ts'
import type { MimeTypes } from '../files/mime-types.ts'

export interface StaticMapping {
  /** '' for everything, else `/prefix` without a slash at its end. */
  readonly prefix: string
  /** Absolute path of a directory, or of a file that answers for the prefix. */
  readonly target: string
  /** `static-map2`: the whole path of the request is looked up below the target, the prefix too. */
  readonly keepsPrefix: boolean
}

/** One `static-expires*`: how long what matches may be kept. */
export interface ExpiresRule {
  readonly subject: 'file' | 'uri' | 'path-info'
  readonly pattern: RegExp
  readonly seconds: number
  /** Counted from the file's last change, and not from now. */
  readonly fromChange: boolean
}

export interface ExpiresType {
  readonly seconds: number
  readonly fromChange: boolean
}

export interface StaticPlan {
  /** Directories of `check-static`: a file at the request's path is the answer. */
  readonly directories: readonly string[]
  /** In the order in which they are tried: `static-map`, then `static-map2`. */
  readonly mappings: readonly StaticMapping[]
  /** `check-static-docroot`: the front end's DOCUMENT_ROOT is such a directory. */
  readonly usesDocumentRoot: boolean
  /** Names that stand for a directory. */
  readonly indexes: readonly string[]
  /** Ends of paths that are the app's. */
  readonly skippedEnds: readonly string[]
  /** Where links may lead beside the root they are in. */
  readonly safe: readonly string[]
  readonly expires: readonly ExpiresRule[]
  readonly expiresByType: ReadonlyMap<string, ExpiresType>
  readonly mimeTypes: MimeTypes
}

/** Does the plan ask for anything at all? */
export const servesFiles = ({ directories, mappings, usesDocumentRoot }: StaticPlan): boolean =>
  directories.length > 0 || mappings.length > 0 || usesDocumentRoot

/** A place where the answer may lie. */
export interface Candidate {
  readonly path: string
  /** The file must really lie in one of these. */
  readonly roots: readonly string[]
}

/**
 * Where to look for the path of a request, in uWSGI's order. Empty: it is the app's.
 *
 * Differs from uWSGI: a prefix ends where a segment of the path ends, so that `/s` is not the prefix of `/secret`; a
 * file that is mapped answers for its prefix alone, not for what follows it; what holds a NUL or a `..` is the app's.
 * @param pathInfo decoded, one Latin-1 character per byte
 */
export const candidatesOf = (plan: StaticPlan, pathInfo: string, documentRoot: string | undefined): Candidate[] => {
  const path = fileNameOf(pathInfo)
  if (path === undefined || plan.skippedEnds.some((end) => path.endsWith(end))) return []
  const candidates: Candidate[] = []
  const add = (root: string, rest: string): void => {
    candidates.push({ path: rest === '' ? root : `${root}/${rest}`, roots: [root, ...plan.safe] })
  }
  const relative = path.replace(/^\/+/, '')
  for (const directory of plan.directories) add(directory, relative)
  for (const { prefix, target, keepsPrefix } of plan.mappings) {
    if (!path.startsWith(prefix) || (path.length > prefix.length && prefix !== '' && path[prefix.length] !== '/')) continue
    add(target, keepsPrefix ? relative : path.slice(prefix.length).replace(/^\/+/, ''))
  }
  if (plan.usesDocumentRoot && documentRoot?.startsWith('/') === true) {
    const root = fileNameOf(documentRoot)
    if (root !== undefined) add(root, relative)
  }
  return candidates
}

const plain = /^\/[\x20-\x7e]*$/
const climbs = /(?:^|\/)\.\.(?:\/|$)/

/** The path as the file system's functions take it; undefined for one that no file of ours has. */
const fileNameOf = (latin1: string): string | undefined => {
  if (!latin1.startsWith('/') || latin1.includes('\0') || climbs.test(latin1)) return undefined
  if (plain.test(latin1)) return latin1
  const name = Buffer.from(latin1, 'latin1').toString('utf8')
  return Buffer.from(name, 'utf8').toString('latin1') === latin1 ? name : undefined
}

/** When what is sent is too old; undefined: nobody has said. */
export const expiryOf = (
  plan: StaticPlan,
  file: { readonly path: string; readonly contentType: string | undefined; readonly modifiedMs: number },
  request: { readonly uri: string; readonly pathInfo: string },
  nowMs: number,
): Expiry | undefined => {
  const subjects = { file: file.path, uri: request.uri, 'path-info': request.pathInfo }
  const rule = plan.expires.find(({ subject, pattern }) => pattern.test(subjects[subject]))
  const chosen = rule ?? (file.contentType === undefined ? undefined : plan.expiresByType.get(file.contentType))
  if (chosen === undefined) return undefined
  return { atMs: (chosen.fromChange ? file.modifiedMs : nowMs) + chosen.seconds * 1000, isByType: rule === undefined }
}
