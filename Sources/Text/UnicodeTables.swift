// Written by scripts/make-unicode-tables.py from Hugging Face tokenizers 0.23.3; don't edit.

/// Unicode properties as Hugging Face `tokenizers` sees them, independent of the toolchain's Unicode version.
///
/// Each string holds base-32 numbers (`UnicodeTableReader`): pairs of (gap since the last range, count - 1)
/// unless its comment says otherwise.
enum UnicodeTables {
    /// Code points that BERT's text cleaning removes (control, format, private use, U+FFFD).
    static let droppedByBert: StaticString = #"""
        #+%$$4c%C$0#UM$(9#C)#T$#bJ'#`c$'='T$'$,S`R$cJ)cR$#]*%$#cH'#EcM$&RI(*IWN;#Ac%C`c$acc$%acc$
        """#

    /// White_Space, as Rust's `char::is_whitespace` has it.
    static let whitespace: StaticString = #"""
        ,'5#G&#=#cQ(#cN%-@$(#R$#Ca&#
        """#

    /// What BERT's pre-tokenizer splits off: ASCII symbols and general category P.
    static let punctuation: StaticString = #"""
        D$1-)=(=&E$#(#&#-$&#&#b8#+#U1(L$$V$#$#%#%#O$$7$$$0#%$M%&I&#N$0L*%Y$1B#H+$-#c.#F;#^%#-$K(1$#H$&J%#M%''$R&(N(#G6\#
        +Z'#O6$O$$Q%%J%$a'%$%H$-],$[)$C')$(O()_'&_$'b$$C%*.#`<:+6$/$.A$1$]6&@$aD$0R%$B,V/8c$&C$$_:&$$S&#R'Q$$5b0%',%.3\#
        #/#E&#^%#EC@$P+%F&#-#V&(`.&Y%$K$%$#T$$R$#D&/3$`&&b&$3$]*#UM7$S),9E$$0$#'#$$X'%$($&-$&$=%$#>#$#$)^/%`7#S$#b/#J:\#
        #J)#B#S++I$#S&)E%)]%&MH$)P&$$&b&&S$$R%'&#0#$%[%(N&#`3#^*9L&%[*%TL&']R4$H'#D%'+#^M7#JR*'
        """#

    /// General category Mn: what BERT's accent stripping removes.
    static let nonspacingMarks: StaticString = #"""
        C;R&V+'L+O$$#$$$$$#K%-S$73#H&)%(%$$&F$#A=_%-^$+E$&$+$%$'N$%J'BZ$#$#'*'#&)-$@#^$#'&+#7$@$]$#'$'$%%&#A$&#.$]$#''\#
        $$'#7$@#^$#%#$&+#+#.$A#a$#/#U$#a$%(%$&*$.$@#^$#%#)#($7$@#c$&+#7$I&#*%$#^%#%)/*E&#%($$.(M%$>#$#$#Z$0$'$$(-$F$,#\#
        I&&$($$%$<$'%3&0#%$)#2#c8%U@%@%@$A$C%$$)+#%-,#P$%_'#Y&%'$,#)%_)$%#^$#$)$#$#%*),%#S$0E%&S$#$'$#(#K$+/$C$&%$$%[$\#
        #$$&#$%^$*%$['%$/$)'#)#&$I)X$)&S9/'#&.bc%%P'#C&BM4&N&$WQ@#',C$$S%$S+#&#'#<$a'#>4W$*<-Q$%S$#%&%#K$#F%(%$%$/#+#R\#
        $#V$#$%%$($$#M$$+#Q*#%#'#S]6#D:232PA#E*#X''IW$%$$(&K$%'#H($^K$#Y$1[$%T$&%$H%%G$'$*b$#/$W$+.%E&%%#$$J(#&*8$^$#&\#
        #H$)&'b,($#'$$$Q*&)$$$>$X%*%#$$M&#$#%($#H&%%&$'Gb7'_$)[E$&MK6$KI(%4*%)A&W'%_a$Y$'T$+#1#9'$1CT&)LDI;R*
        """#

    /// General category M: what the StripAccents normalizer removes.
    static let combiningMarks: StaticString = #"""
        C;R&V+)J+O$$#$$$$$#K%-S$73#H&)%(%$$&F$#A=_%-^$+E$&$+$%$'N$%[&0$C$Y$%$4$)-$@%[$#$)%$%%,#-$@%[$#$''$%%&#A$&#.%[$\#
        #$*$%$%7$@%[$#$)%$%%+$-$A#_$'&%$&,#K$&^$)$%$&*$.$@%[$#$)$%$&*$.$@%^$)$%$&,#-$A$I%#'($#$*5$a$#%)/*E&#%($$.(M%$>\#
        #$#$#'$T$6$$(-$F$,#G&6:&'%$%%)&&0.$#-&c8%U@%@%@$A$C%B,#P$%Z&$E$#Y&.'._)']$,$?%#S$1D%'R$3I$+/%A/[$0S$6['%$7'#'%\#
        &$I)X$('S9C$bc%%P'#C&BM4(L&$WQ@&$,C$$S%$S+#&#'#:'[%$U$4=4W$*</O$&R$0G$#F%0/#+$P$%U$#$%%$($$#L$'($O**$$S]6#D:23\#
        2PA#E*#X''IW$%$$(&K$%'#H($]K$%X$1[$&P$-H%%G$0b$#/%S$0,%c%.)#C(.8&[$#$)%$%%,#-$%)&'C)4L&6N*)%+>$U%3M&/H&1FK$*$*\#
        U%8$0]T6'_$)^C$P$3&MK6$II('&(+*%)A&W'%_a$Y$'T$+#1#9'$1SM$)$3%)$$$'HH%)P&)XaH;R*
        """#

    /// The regular expression `\w`.
    static let wordCharacters: StaticString = #"""
        S$,*<'#$<R$#-#'#(9$A$L1'.1'*#$#4W&$$%&$#)#$%$#$6$U%$M'$O($H$%#)K$+O$$#$$$$$#+='&@-(L%'H&$*%,$5%#3^$%G&1X$'#%#%\#
        P$5>'-(:$(+M%$C'%,$5$*%$%8$)$#&&%+%$%&+#'$$'%.-#$#%%$('$%8$)$$$$$$%#$''$%%&#*&$#*2.%$+$%$8$)$$$'%,$%$%%#2&%,,)\#
        $%$*%$%8$)$$$'%+%$%%*%'$$'%,$#3$$(&%$&&$$#$$&$&%&.''&%$&%#)#1,3/$%$9$2%+$%$&*$$%%#%&%,3&$*$%$9$,$'%+$%$&*$)$$&\#
        %,$%//$%$U$$%$'(&*'%,-($%$4&:$+$#%)&#'($#$*),%$0]$(1$,J$$$#$'$:$#$9%'$#$)$,%&C$#:$),.#$#$#',$F$'6$4$F$,#]$L%)P\#
        %%H$$#(#%M$$O-$&%)$#$&%K$$&%C$$&%)$#$&%1$[$$&%E%%%C$23X%%(&N6%3$<(M%&-*8,8.6//$%$$/V%&#'$%,D$%$-)[%*M$(H%-A$.'\#
        .-J$%'.N$'<),I$>'b$$?%-),0#+AT$O%&,4+/V&/Z$+,&S$%-(M$%%3%$I$(X3%(%H$%(%*$#$#$#$A%W$$)$#&%$)&&%('/(%$)2$T$$6#?#\#
        0#3/V$C$4#'#%,$#&')#$#$#$&$-%&(''#4K$P<V$Y[$G*)+/H$$#(#%Z$*#2:,)$)$)$)$)$)$)$)$BR$#X1%<1$'%''X%%$%%$]%$&(M$$a%\#
        4BS$2C3cP)C%OW8F%P$%O+&>7U$$,$U&H$+%I&%E%%$$#$*8X$'#6V$/H%-,):&#$S$%F$/?&C%1-)A$Y$,0%,)9&K%;%%2%'-(%(%(,)$)$M$\#
        $0)^&$$%,)Fa-/9'S$GK+P.%L&I$)/'(.$/$'$#$$$$$N&D$M.5c$%X$K$.'232&$;%C$'$I'6,*<'#$<.[%&(%(%(%%F$.$<$5$$$1%0E$^&H\#
        %W$K'#E'?&S$2#BB0@(M$(@%F$'*$'M$a'%,)F$'F$'J$+V$/-$1$)$$$-$1$)$$&V$/Y,,8-*;($L$$+H%(%#$N$$$&#%9-9,AD%5$$-8-<I%\#
        Z$)$C%&$$(*$%$?%%'#C$?&?F$*$@<X$-8-504Q&K%Z$U$0U$0J$+,)H$&'$9^*L$$$&$3%Z$C$-#+C$B8M$7>9,I%B2,_$*#0;*,)W$$,'&+F\#
        $%#,G%'&$/$#F$4$G$)&b$)$#$&$1$,*^$(,)&$*%$%8$)$$$'$,%$%%%#)#()%)&'.,$#%#$H$$,$#%#$&$*0$@M%(,'&AH%$#+,I(X$%+:(E\#
        $C%&#.,I$[$*,)6?=%1',))](^$H&L%8*%#%*$$$@$$%+/,I%*%P$%*$$>b$+#+L%&#5K%J)C$2,)+$O$$+2,;@%8$0L%)$$$N$&#$$$++,)($\#
        $$G$$$$(*,Y,9,3$K$&'0-X%#R%]?I&Q&4F)OU%C&2RD$38-^`&(I5]X)]$IY$[4*A$,)Q%$,)@%'.Y$,&/,,7(5S0O$&,I)c$C'M%'[$*3C%$\#
        $$.$1Zc(+XI$L$,JZ+&$)$$$E,2#@%%#1&+N/GK%M&(/&+*,&$TE',I3P$%9b3'&(+*%)A&W'%_0W%$I%$$%#%$%&$.$#$)$C%$&%*$)$>$&$'\#
        $#&)$V-%;$;$A$;$A$;$A$;$A$;$*%T$C3Y$'T$+#1#9'$1SE$A)(X))$3%)$$$'(a$D$#S&O$&0%,'#D-A4]$Y1L$Y)M$H2)$&$$$1$G).)L$\#
        N%',IH$&$=$$$#%#$,$&$#$#)#'#$#$#$%$$$#%#$#$#$#$#$$$#%&$)$&$&$#$,$3(%$'$3W6<)<)<IV%,IC$cYL$C$]D')a)%DW(1SL*2P6E\#
        P%a3ER$M^'(cE'SMZ8R*
        """#

    /// Code points that NFD changes, but for Hangul syllables.
    static let canonicallyDecomposable: StaticString = #"""
        C)($+$(%'%($+$(%'$3%6%+&&$('(&(%4%9D$$0$?2$(%-&$%F$%$)0O+$$$R$#,#)($#$%<)<''$N$$$#&#'%-#B#9$$#&#'%:$L%$0&%$%(%\#
        (%.%$K,']'#$#3#X5#*#%#F$*N&$2$$#V%#%#E$%%#L*#%$2$Y$#X$%_&#Z&#)$$$b&%P'#$%G.#,#'#'#'#/#,#$$$#+#4#,#'#'#'#/#O&#c\#
        Y%#$#$#$#$#&#K$#$#%$$#`8]'$#']%)8%(%H$%(%*$#$#$#$A%W$$)$#%&$0%($5%%$*%$G,#&$Q&$5#A%W$#'#%#:#$#=#%#%#$#9#$#-'%$\#
        %$)$%$%$E$&S$&)&_$$Ta$#RN$#$#$#$#$#$#$#$#$#$#$#$#%#$#$#)$$$$$$$$$9#,#0#$#$#$#$#$#$#$#$#$#$#$#%#$#$#)$$$$$$$$$9\#
        #%&&#DCU$P+%#$#%,$#$#%$&F%%L&F%#$#-/$'$#$$$$$+NM(#$#1#E'$_3$Q.$$#_*$EaQ$)Y%(cTL%a3
        """#

    /// Code points that NFKD changes, but for Hangul syllables.
    static let compatibilityDecomposable: StaticString = #"""
        C(#*#$#'#%&%%$%$($+$(%'%($+$(%'$3%6%+$($*%)%(%4%:C$$0$6;$(%2%F$%$)0`&+B(%'_%$$$R$#(#&#()$#$%<)<'$)<%$$&#)$$#&#\#
        '%-#B#9$$#&#'%:$L%$0&%$%(%(%.%$P'#^''Q%&J%#$#3#X5#*#%#F$*N&$2$$#V%#%#E$%%#L*#%$2$Y$#X$%_&#Z&#)$$$b&%P'#$%W%#c&\#
        #K$$Q$#Y$#,#'#'#'#/#,#$'*#4#,#'#'#'#/#O&#X)#LS%#$#$#$#$#&#K$#$#%$$#K2%$-$4$>0#E$G$C%_'']%)8%(%H$%(%*$#$#$#$A%W\#
        $$1$0%($5%%$+$-)#(#/%+#&$$$'#$#+%0#*#3$%=$/.#Z%&$%$-$$%'%%$#$#$#$&$%$)$('')R$,#3$5#A%W$#'#%#:#$#($$$3#%#%#$#9#\#
        $#-'%$%$)$%$%$E$&S$&)&_$$X,M'DL$#J&%H&#c/$T*#R,#V%#/X)M$#X$#$%4#$#$#$#$#$#$#$#$#$#$#$#%#$#$#)$$$$$$$$$9#)$$$/#\#
        $#$#$#$#$#$#$#$#$#$#$#%#$#$#)$$$$$$$$$9#%&&$T$a%&0C&A$J$+Q$$b&$c*`W?$U)#J'$E>&CP6P+%#$#%,$#$#%$&F%%L&I$)/'(#$:\#
        $'$#$$$$$N&D$M.5c$%X$K$/6,97%.$5$&'%$#$I''a(&(%(%(%%&)$)NH'#$#1#E'$_3$Q.$$#_*$EaQ$)Y%(c4W%$I%$$%#%$%&$.$#$)$C%\#
        $&%*$)$>$&$'$#&)$V-%F,%T$CS(&$=$$$#%#$,$&$#$#)#'#$#$#$%$$$#%#$#$#$#$#$$$#%&$)$&$&$#$,$3(%$'$3G5-(A$B=$G$#R&%0N\#
        $'+*$QPD%a3
        """#

    /// Canonical combining classes other than 0: runs of (gap, count - 1, class).
    static let combiningClasses: StaticString = #"""
        C;7I*##K*#&`)##K*##[)#'`)#$M)#&`)#$M)#-`)#'$#&`)#*I*##S*##I*#%`)#%I*#$`)$%I*#&`)##I*##K*#$`)##I*##L*#$M*##L*#$\#
        M*##L*#/I*V+'I*L+#`)#&I*##`)#%I*##b)##`)#(I*#(`)#$I*##`)#$I*##b)##G*##I*##-##.##/##0##1##2##3##4##5#$6##7##8##\#
        9$#:$#;##<$#I*##`)$#5K%*I*##A##B##C$S$#>##?##@##A##B##C$##D$##E$#$I*#$`)#'I*##`)#$I*##`)3#F$H&)I*%&I*##`)##I*%\#
        $I*$#`)#$I*##`)F$#G$A#I*##`)#$I*##`)#$I*#%`)##I*#$`)##I*##`)#%I*##`)##I*##`)##I*##`)##I*##`)#$I*C()I*##`)##I*E\#
        $&I*$+I*$%I*$'I*N$%`)[&0I*$#`)#$I*##`)#$I*##`)#%I*#%`)##>##?##@#%I*##`)#$I*#$`)#'I*`$#*3#,&#I*##`)#$I*J&#*3#,Q\#
        &#*3#,Q&#*3#,Q&#*3#,c&#,c&#,*#W%##_%H&#*3#,c&#,`&#,P&$J&##,0&N&O&$Y&1&^&O%$`)>#`)$#`)$#[)Z$#D'##E'$#G'(&E'%#E'\#
        $$I*##,$$I*b$#`)S&#*$$,U%#`)R9%I*W@#,B#,a'#,-#I*N)#G*R'#b)##I*##`)_)#I*##`)J%#,7*I*%#`)S$'I*#(`)#$I*##`)Y&#*2#\#
        ,I$#I*##`)#)I*Y$$,^$#*.$,F%#*['%I*$#$#'`)#$I*#&`)##I*$)$'#`))#I*&$I*I)$I*##`)#)I*##`)#$I*##M*##Y)##`)##M)#G$I*\#
        (#I*##L*##`)##I*##`)S9$I*#$$#&I*#%$#$I*'#I*&$$##I*##`)##I*#$$#&`)##I*bc%%I*P'#,C&BI*M4#^)##G*##K*##b)#$C*L&$+W\#
        Q@#I*',I*C$$I*S%$I*W+#,a(#,>4I*]$%`)H$#,c%#*/#,R*#I*$$I*##`)%$I*($I*$#I*W$#,Y*#,S]6#=D;)I*#)`)#$I*PA#`)E*#`)X'\#
        'I*UW$#`)$#I*K$#I*##$##`)'#,H(#I*##`)cM$#,[$#,]$#,##*H%%I*S$$,b$#*O%#,,#*M&#,##*U(#*##,T%#*3#,;)I*&'I*P)#,&#*_\#
        &#,##*_*#,##*b&#,Y&#,##*V&#,VK$#,SX6'$_$)I*JN7#$II($[)#%$&#E*#'[)+*`)%'I*#$`)A&I*W'%I*_P&)I*$3I*%)I*$$I*$'I*HH\#
        %)`)P&(I*##*
        """#

    /// Single code point lower-case forms: runs of (gap, count - 1, step, zigzag distance).
    static let lowercase: StaticString = #"""
        D%<$C%H&9$C%$)$C%D$:%%&%%%%*%%%9%%$#$T*#%%%&#$G0#$%%$#$`/##$%$$$^/##$%%#$b'##$W/##$Y/##$%$#$^/##$b/$#$I0##$E0#\#
        #$%&#$I0##$M0$#$O0#%%%$#$W0##$%$#$W0%#$%$#$W0##$%$$$U0#$%%$#$Y0##$%&#$%*#$'##$%$#$'##$%$#$'#+%%%+%%%#$'#$%%$#$\#
        D)##$R&#6%%$#$F+$+%%*#$YE8##$%$#$H-##$SE8%#$%$#$H/##$M'##$Q'#'%%D,$%%&#$%+#$K*)#$O%$%$M%$#$C'$$$b&$3$C%$+$C%F$\#
        #$3+.%%(#$Z&%#$%$#$0##$%%%$F+#2$C(#B$C%S$3%%,=%%$#$A#)%%%R$%%%H$$C&L^%H$$CI1$#$CI1(#$CI1U9R%$CaN%#($3VG%#$%)M$\#
        $c_(%%$c_(C-M%%%,#$a_1$R$%%,*$2+($2-*$2+*$2+($2.&%2+*$2;*$2+*$2+*$2+$$2#$$V'##$4.&$N(##$4.$$2#$$J)/$$2#$$c)##$\#
        0.$$c*#$$_*##$4L,#$]X1&#$aN3##$NG3)#$[$P$2$C$6#$%U<<$W$S]$R$$C&S$#$%$#$Pc7##$NQ*##$Pb7%%%%$#$ZD8##$]c7##$aD8##\#
        $_D8$#$%%#$%+$$aF8#T$%%+$%%'#$%PMA9%%60%%J')%%&A%%-$%%$#$JCH%#'%%'#$%$#$RUU%%$%%&,%%$#$JWU%##$aWU%##$XWU%##$DW\#
        U%##$JWU%$#$FTU%##$VUU%##$LTU%##$C^$#*%%$#$c%##$HWU%##$RFH%#$%%$#$PYU%#*%%$#$DGV%;#$%N]8<$C%HI$J$$S%K'F$$S%`'-\#
        $Q%$1$Q%$)$Q%$$$Q%MZ$U$$C'a'8$C%^]%B$C%CO8B$C%C%;$Y$JUAD$$G%
        """#
}

/// Reads the strings of `UnicodeTables`: base-32 numbers, least significant digit first, with 32 added to all digits
/// but the last.
struct UnicodeTableReader {
    private var next: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(_ table: StaticString) {
        next = table.utf8Start
        end = next + table.utf8CodeUnitCount
    }

    private mutating func number() -> UInt32? {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while next < end {
            // Digits start at `#`; the backslash (92) is left out of the alphabet.
            let digit = UInt32(next.pointee) - (next.pointee > 92 ? 36 : 35)
            next += 1
            value |= (digit & 31) << shift
            shift += 5
            if digit < 32 { return value }
        }
        return nil
    }

    /// The ranges of a table of (gap, count − 1) pairs.
    static func ranges(_ table: StaticString) -> [ClosedRange<UInt32>] {
        runs(table, extras: 0).map(\.range)
    }

    /// The runs of a table whose (gap, count − 1) pairs are each followed by `extras` more numbers. `count` counts
    /// members; with a step among the extras (`stepped`), the members are that far apart.
    static func runs(
        _ table: StaticString, extras: Int, stepped: Bool = false
    ) -> [(range: ClosedRange<UInt32>, extras: [UInt32])] {
        var reader = UnicodeTableReader(table)
        var runs: [(range: ClosedRange<UInt32>, extras: [UInt32])] = []
        var end: UInt32 = 0
        while let gap = reader.number(), let more = reader.number() {
            var values: [UInt32] = []
            for _ in 0..<extras { values.append(reader.number() ?? 0) }
            let first = end + gap
            let last = first + more * (stepped ? values[0] : 1)
            runs.append((first...last, values))
            end = last + 1
        }
        return runs
    }
}
