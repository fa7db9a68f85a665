// Files as a person gives them: read once, as a whole, when they come in.

/** The file in memory: one that is moved or edited on the disk later must not change what was opened. */
export async function readWhole(file) {
  try {
    return new File([await file.arrayBuffer()], file.name, { type: file.type });
  } catch {
    throw new Error(`${file.name} cannot be read (moved, changed or not allowed?); choose it again.`);
  }
}

export const isProject = (file) => file.type === 'application/json' || file.name.endsWith('.json');

/** Of a file's bytes, as a project file has it; null where browsers do not offer it (plain HTTP to another machine). */
export async function sha256(file) {
  if (!crypto.subtle) return null;
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
