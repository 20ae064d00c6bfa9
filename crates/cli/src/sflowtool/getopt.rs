//! Options as `getopt_long` reads them: short ones in bundles, arguments at once or behind, long ones by any clear
//! beginning, and in any order.

/// An option that a program has.
#[derive(Clone, Copy, Debug)]
pub struct Option {
    /// Its letter.
    pub letter: char,
    /// Its long names.
    pub long: &'static [&'static str],
    /// Whether it wants an argument.
    pub argument: bool,
}

/// Options with their arguments, in the order of the line; what is no option is refused.
pub fn parse(options: &[Option], words: &[String]) -> Result<Vec<(char, String)>, String> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        // Old spellings that scripts still have.
        let word = match word.as_str() {
            word if word.starts_with("+v") => format!("-V{}", &word[2..]),
            "+4" => "-A".to_owned(),
            word => word.to_owned(),
        };
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let option = by_name(options, name)?;
            let value = match (option.argument, value) {
                (true, Some(value)) => value.to_owned(),
                (true, None) => next(&mut words, &format!("--{name}"))?,
                (false, Some(_)) => return Err(format!("--{name} takes no argument")),
                (false, None) => String::new(),
            };
            found.push((option.letter, value));
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            bundle(options, letters, &mut words, &mut found)?;
        } else {
            return Err(format!("{word:?} is no option"));
        }
    }
    Ok(found)
}

fn bundle<'w>(
    options: &[Option],
    letters: &str,
    words: &mut impl Iterator<Item = &'w String>,
    found: &mut Vec<(char, String)>,
) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        let option = options.iter().find(|option| option.letter == letter);
        let option = option.ok_or_else(|| format!("-{letter} is no option"))?;
        if !option.argument {
            found.push((letter, String::new()));
            continue;
        }
        let rest = &letters[at + letter.len_utf8()..];
        let value = if rest.is_empty() { next(words, &format!("-{letter}"))? } else { rest.to_owned() };
        found.push((letter, value));
        break;
    }
    Ok(())
}

fn next<'w>(words: &mut impl Iterator<Item = &'w String>, option: &str) -> Result<String, String> {
    words.next().cloned().ok_or_else(|| format!("{option} wants an argument"))
}

fn by_name<'o>(options: &'o [Option], name: &str) -> Result<&'o Option, String> {
    let all = || options.iter().flat_map(|option| option.long.iter().map(move |long| (option, *long)));
    if let Some((option, _)) = all().find(|(_, long)| *long == name) {
        return Ok(option);
    }
    let mut close = all().filter(|(_, long)| long.starts_with(name));
    match (close.next(), close.next()) {
        (Some((option, _)), None) => Ok(option),
        (None, _) => Err(format!("--{name} is no option")),
        (Some((_, one)), Some((_, other))) => Err(format!("--{name} may be --{one} or --{other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Option, parse};

    const OPTIONS: [Option; 4] = [
        Option { letter: 'l', long: &["line"], argument: false },
        Option { letter: 'p', long: &["port"], argument: true },
        Option { letter: 'j', long: &["json"], argument: false },
        Option { letter: 'J', long: &["json-indented"], argument: false },
    ];

    fn check(words: &[&str], expected: Result<&[(char, &str)], &str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let expected = expected.map(|all| all.iter().map(|(letter, value)| (*letter, (*value).to_owned())).collect());
        assert_eq!(parse(&OPTIONS, &words), expected.map_err(str::to_owned), "{words:?}");
    }

    #[test]
    fn short_options_stand_in_bundles_and_take_the_rest_as_their_argument() {
        check(&["-l", "-p", "6343"], Ok(&[('l', ""), ('p', "6343")]));
        check(&["-lp6343"], Ok(&[('l', ""), ('p', "6343")]));
        check(&["-lp", "-1"], Ok(&[('l', ""), ('p', "-1")]));
        check(&["-lx"], Err("-x is no option"));
        check(&["-p"], Err("-p wants an argument"));
    }

    #[test]
    fn long_options_need_only_what_tells_them_apart() {
        check(&["--port=1", "--po", "2", "--json", "--json-"], Ok(&[('p', "1"), ('p', "2"), ('j', ""), ('J', "")]));
        check(&["--js"], Err("--js may be --json or --json-indented"));
        check(&["--line=1"], Err("--line takes no argument"));
        check(&["--nothing"], Err("--nothing is no option"));
        check(&["file"], Err("\"file\" is no option"));
    }
}
