// The browser's storage, or memory where the browser denies it.

/**
 * @param {() => Storage} storage may throw, as in some private windows
 * @param {string} key
 * @returns {{read: () => any, write: (value: unknown) => void}}
 */
export function stored(storage, key) {
  /** @type {string | null} */
  let kept = null;
  let isFull = false;
  return {
    read() {
      try {
        if (!isFull) kept = storage().getItem(key) ?? kept;
      } catch {
        // Use the value in memory.
      }
      try {
        return JSON.parse(kept ?? "null");
      } catch {
        return null;
      }
    },
    write(value) {
      kept = JSON.stringify(value);
      try {
        storage().setItem(key, kept);
        isFull = false;
      } catch {
        // Use memory until the page is closed.
        isFull = true;
      }
    },
  };
}
