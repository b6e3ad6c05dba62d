// Which file systems are this machine's own. A look at a file that was looked at just before comes from the kernel's memory there,
// in less time than it takes to ask another thread; a network's may keep whoever looks waiting for ever.
import { statfs } from 'node:fs/promises'

/** Linux's numbers (statfs(2)); another system's file systems are taken for a network's. */
const localTypes: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0x73717368, // squashfs
])

/** Do all the paths lie on file systems of this machine? */
export const areLocal = async (paths: readonly string[]): Promise<boolean> => {
  try {
    const systems = await Promise.all(paths.map((path) => statfs(path)))
    return process.platform === 'linux' && systems.every(({ type }) => localTypes.has(type >>> 0))
  } catch {
    return false
  }
}
