import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnchoredFolder, FileReplacedError, FolderMovedError } from './anchored-folder';
import { cleanUp, type Cleanup, type CleanupOptions } from './clean-up';
import { markerName, noCounts, oldFiles, walkLimits } from './old-files';

let outer: string;
let folder: string;
beforeEach(() => {
  outer = realpathSync(mkdtempSync(join(tmpdir(), 'clean-up-')));
  folder = join(outer, 'clean');
  mkdirSync(folder);
  writeFileSync(join(folder, markerName), '');
});
afterEach(() => rmSync(outer, { recursive: true }));

const old = (path: string): void => {
  writeFileSync(path, 'ten bytes.');
  utimesSync(path, new Date(0), new Date(0));
};
const namesIn = (path: string): string[] =>
  readdirSync(path)
    .filter(name => name !== markerName)
    .sort();
const { signal } = new AbortController();
const rules = () => ({ minAgeMs: 0, nowMs: Date.now(), signal, counts: noCounts() });
const run = (more: Partial<CleanupOptions> = {}, step: (soFar: Cleanup) => void = () => undefined) =>
  cleanUp({ folders: [folder], minAgeMs: 60_000, maxFiles: 1_000, isDryRun: false, ...more }, signal, step);

describe('cleaning up', () => {
  it('removes old files and leaves young ones, folders and links', async () => {
    mkdirSync(join(folder, 'inner'));
    old(join(folder, 'inner', 'old'));
    writeFileSync(join(folder, 'young'), '');
    symlinkSync(join(folder, 'young'), join(folder, 'link'));
    const result = await run();
    expect(result).toMatchObject({ matched: 1, removed: 1, removed_bytes: 10, failed: 0, is_complete: true });
    expect(result.folders).toEqual([
      { folder, status: 'looked_at', names_seen: 4, too_young: 1, not_files: 1, unreadable: 0 },
    ]);
    expect(namesIn(folder)).toEqual(['inner', 'link', 'young']);
  });

  it('counts no bytes for a file that has another name', async () => {
    old(join(folder, 'one'));
    linkSync(join(folder, 'one'), join(outer, 'other'));
    expect(await run()).toMatchObject({ removed: 1, removed_bytes: 0 });
    expect(existsSync(join(outer, 'other'))).toBe(true);
  });

  it('tells the same in a dry run, and does nothing', async () => {
    old(join(folder, 'old'));
    const result = await run({ isDryRun: true });
    expect(result).toMatchObject({ matched: 1, matched_bytes: 10, removed: 0, removed_bytes: 0 });
    expect(result.files[0]).toMatchObject({ path: 'old', bytes: 10, outcome: 'would_be_removed' });
    expect(namesIn(folder)).toEqual(['old']);
  });

  it('names a hundred files and counts the others', async () => {
    for (let index = 0; index < 120; index += 1) old(join(folder, `${index}`));
    const result = await run();
    expect([result.matched, result.removed, result.files.length]).toEqual([120, 120, 100]);
  });

  it('goes eight folders deep and says when there is more', async () => {
    let deep = folder;
    for (let level = 0; level <= walkLimits.depth; level += 1) {
      old(join(deep, 'old'));
      mkdirSync((deep = join(deep, 'down')));
    }
    old(join(deep, 'too-deep'));
    expect(await run()).toMatchObject({ removed: walkLimits.depth + 1, is_complete: false });
    expect(existsSync(join(deep, 'too-deep'))).toBe(true);
  });

  it('stops between two files when it is told to', async () => {
    for (let index = 0; index < 20; index += 1) old(join(folder, `${index}`));
    const stop = new AbortController();
    const options = { folders: [folder], minAgeMs: 0, maxFiles: 100, isDryRun: false };
    const stopped = cleanUp(options, stop.signal, ({ removed }) => {
      if (removed === 5) stop.abort(new Error('enough'));
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(namesIn(folder)).toHaveLength(15);
  });

  it('looks at nothing where nobody has put the marker, which it never removes', async () => {
    old(join(folder, 'one'));
    old(join(folder, markerName));
    expect(await run()).toMatchObject({ removed: 1, folders: [{ status: 'looked_at', names_seen: 1 }] });
    expect(existsSync(join(folder, markerName))).toBe(true);
    rmSync(join(folder, markerName));
    old(join(folder, 'two'));
    expect(await run()).toMatchObject({ matched: 0, folders: [{ status: 'unmarked', names_seen: 0 }] });
    mkdirSync(join(folder, markerName));
    expect(await run()).toMatchObject({ matched: 0, folders: [{ status: 'unmarked' }] });
    expect(existsSync(join(folder, 'two'))).toBe(true);
  });

  it('looks for the marker where a link leads to, not where the link is', async () => {
    const precious = join(outer, 'precious');
    mkdirSync(precious);
    old(join(precious, 'old'));
    rmSync(folder, { recursive: true });
    symlinkSync(precious, folder);
    expect(await run()).toMatchObject({ matched: 0, folders: [{ status: 'unmarked' }] });
    expect(existsSync(join(precious, 'old'))).toBe(true);
  });

  it('refuses a folder that a link has replaced with the root', async () => {
    rmSync(folder, { recursive: true });
    symlinkSync('/', folder);
    // A dry run: without the refusal that is tested here, anything else would empty the machine that runs the test.
    expect((await run({ isDryRun: true })).folders).toMatchObject([{ status: 'refused', names_seen: 0 }]);
  });

  it('stays where it is when a folder is replaced by a link between looking and removing', async () => {
    const inner = join(folder, 'inner');
    const precious = join(outer, 'precious');
    for (const path of [inner, precious]) {
      mkdirSync(path);
      for (const name of ['one', 'two', 'three']) old(join(path, name));
    }
    let swapped = false;
    const result = await run({}, () => {
      if (swapped) return;
      swapped = true; // the walk is inside of `inner` now
      renameSync(inner, join(outer, 'moved'));
      symlinkSync(precious, inner);
    });
    expect(result.removed).toBe(3);
    expect(readdirSync(precious).sort()).toEqual(['one', 'three', 'two']);
    expect(readdirSync(join(outer, 'moved'))).toEqual([]);
  });
});

describe('a folder that is held open', () => {
  it('is none behind a symbolic link, at its end or on the way', async () => {
    mkdirSync(join(folder, 'inner'));
    symlinkSync(folder, join(outer, 'link'));
    await expect(AnchoredFolder.open(join(outer, 'link'))).rejects.toThrow(/ELOOP|ENOTDIR/);
    await expect(AnchoredFolder.open(join(outer, 'link', 'inner'))).rejects.toThrow(FolderMovedError);
    const root = await AnchoredFolder.open(outer);
    await expect(root.child('link')).rejects.toThrow(/ELOOP|ENOTDIR/);
    await root.close();
  });

  it('removes a name only while it stands for the file that was looked at', async () => {
    for (const name of ['replaced', 'written', 'same']) old(join(folder, name));
    const root = await AnchoredFolder.open(folder);
    const outcomes: Record<string, string> = {};
    for await (const { name, seen } of oldFiles(root, rules())) {
      if (name === 'replaced') {
        writeFileSync(join(outer, 'new'), 'new');
        renameSync(join(outer, 'new'), join(folder, name));
      }
      if (name === 'written') writeFileSync(join(folder, name), 'new');
      outcomes[name] = await root.remove(name, seen).then(
        () => 'removed',
        (error: Error) => error.name,
      );
    }
    await root.close();
    const replaced = FileReplacedError.name;
    expect(outcomes).toEqual({ replaced, written: replaced, same: 'removed' });
    expect(namesIn(folder)).toEqual(['replaced', 'written']);
    expect(readFileSync(join(folder, 'replaced'), 'utf8')).toBe('new');
  });

  it('of a walk that was broken off is closed again', async () => {
    mkdirSync(join(folder, 'inner'));
    for (const name of ['one', 'two']) old(join(folder, 'inner', name));
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    const root = await AnchoredFolder.open(folder);
    for await (const file of oldFiles(root, rules())) {
      expect(file.path).toMatch(/^inner\//);
      break;
    }
    await root.close();
    expect(open()).toBe(before);
  });
});
